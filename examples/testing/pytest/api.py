"""A small API that is protected with Microsoft Entra ID. It has no code for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security, status
from fastapi_azure_auth import SingleTenantAzureAuthorizationCodeBearer
from fastapi_azure_auth.user import User


@dataclass(frozen=True)
class Settings:
    tenant_id: str
    client_id: str
    instance: str = "https://login.microsoftonline.com"


def create_app(settings: Settings) -> FastAPI:
    authority = f"{settings.instance}/{settings.tenant_id}"
    entra_id = SingleTenantAzureAuthorizationCodeBearer(
        app_client_id=settings.client_id,
        tenant_id=settings.tenant_id,
        scopes={f"api://{settings.client_id}/access_as_user": "Act as the signed-in user"},
        openapi_authorization_url=f"{authority}/oauth2/v2.0/authorize",
        openapi_token_url=f"{authority}/oauth2/v2.0/token",
    )
    # The class has no parameter for the instance, which is not always that of the public cloud.
    metadata = f"{authority}/v2.0/.well-known/openid-configuration"
    entra_id.openid_config.config_url = metadata

    signed_in = Security(entra_id, scopes=["access_as_user"])

    def admin(user: Annotated[User, signed_in]) -> User:
        if "Admin" not in user.roles:
            raise HTTPException(status.HTTP_403_FORBIDDEN, "The app role Admin is required.")
        return user

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Without keys, the API could not check any token.
        await entra_id.openid_config.load_config()
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/me")
    def get_me(user: Annotated[User, signed_in]) -> dict[str, str | None]:
        return {"name": user.name}

    @app.delete("/announcements", status_code=status.HTTP_204_NO_CONTENT)
    def delete_announcements(_: Annotated[User, Depends(admin)]) -> None:
        """Only administrators get here."""

    return app
