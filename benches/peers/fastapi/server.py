"""FastAPI with fastapi-azure-auth: lists the todos from memory.

Uvicorn runs it. Reads INSTANCE, TENANT and CLIENT_ID from the environment.
"""

import os
from uuid import UUID

from fastapi import FastAPI, Security
from fastapi_azure_auth.auth import AzureAuthorizationCodeBearerBase
from pydantic import BaseModel

AUTHORITY = f"{os.environ['INSTANCE']}/{os.environ['TENANT']}/v2.0"
OWNER = UUID("0a000000-0000-4000-8000-000000000002")


class Todo(BaseModel):
    id: int
    name: str
    owner_id: UUID
    is_complete: bool


class Page(BaseModel):
    items: list[Todo]


# The base class, because the others accept only Microsoft's own authorities.
entra = AzureAuthorizationCodeBearerBase(
    os.environ["CLIENT_ID"],
    openid_config_url=f"{AUTHORITY}/.well-known/openid-configuration",
    leeway=60,
    # The authority is on this machine: use no proxy.
    http_client_config={"trust_env": False},
)
app = FastAPI()
todos = [
    Todo(id=number, name=name, owner_id=OWNER, is_complete=False)
    for number, name in enumerate(["Walk the dog", "Buy milk", "Water the plants"], start=1)
]


@app.get("/todoitems", dependencies=[Security(entra, scopes=["access_as_user"])])
async def list_todos() -> Page:
    return Page(items=todos)
