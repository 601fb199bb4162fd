from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import Settings, create_app
from entra_dev import Tenant


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def status_for(api: TestClient, token: str) -> int:
    return api.get("/me", headers=bearer(token)).status_code


def test_a_signed_in_user_is_admitted(api: TestClient, tenant: Tenant) -> None:
    response = api.get("/me", headers=bearer(tenant.token("uma")))
    assert response.status_code == 200
    assert response.json() == {"name": "Uma Ulrich"}


def test_nobody_gets_in_without_a_token(api: TestClient) -> None:
    response = api.get("/me")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "forgery",
    [
        pytest.param({"claims": {"aud": "another API"}}, id="wrong audience"),
        pytest.param({"claims": {"iss": "https://sts.example"}}, id="wrong issuer"),
        pytest.param({"person": "tia"}, id="another tenant"),
        pytest.param({"expires_in": -1}, id="expired"),
        pytest.param({"valid_in": 3600}, id="not valid yet"),
        pytest.param({"signed_with": "stranger"}, id="wrong signature"),
        pytest.param({"signed_with": "nothing"}, id="not signed"),
        pytest.param({"signed_with": "hmac"}, id="signed with the public key"),
        pytest.param({"header": {"kid": "unknown"}}, id="unknown key"),
    ],
)
def test_a_forged_token_is_refused(
    api: TestClient, tenant: Tenant, forgery: dict[str, Any]
) -> None:
    assert status_for(api, tenant.token(**forgery)) == 401


def test_a_token_without_the_scope_is_not_enough(api: TestClient, tenant: Tenant) -> None:
    assert status_for(api, tenant.token(claims={"scp": "read"})) == 403


def test_only_administrators_delete_announcements(api: TestClient, tenant: Tenant) -> None:
    def delete_as(person: str) -> int:
        return api.delete("/announcements", headers=bearer(tenant.token(person))).status_code

    assert delete_as("ada") == 204
    assert delete_as("noel") == 403
    # The next token of Noel has the role.
    tenant.edit("POST", "people", "noel", "roles", "Todo API", value="Admin")
    assert delete_as("noel") == 204


def test_a_token_expires(api: TestClient, tenant: Tenant) -> None:
    tenant.set_clock(offset=-2 * 60 * 60)
    assert status_for(api, tenant.token()) == 401
    tenant.set_clock(offset=0)
    assert status_for(api, tenant.token()) == 200


def test_tokens_are_accepted_before_and_after_a_key_rotation(
    api: TestClient, tenant: Tenant
) -> None:
    before = tenant.token()
    tenant.rotate_keys()
    # Like Entra, the tenant publishes the next key before it signs with it.
    assert status_for(api, before) == 200
    assert status_for(api, tenant.token()) == 200


def test_fastapi_azure_auth_reads_new_keys_only_once_a_day(
    api: TestClient, tenant: Tenant, settings: Settings
) -> None:
    tenant.rotate_keys()
    tenant.rotate_keys()
    assert status_for(api, tenant.token()) == 401
    with TestClient(create_app(settings)) as restarted:
        assert status_for(restarted, tenant.token()) == 200


def test_the_api_survives_an_outage_of_entra(
    api: TestClient, tenant: Tenant, settings: Settings
) -> None:
    token = tenant.token()
    tenant.fail("metadata", status=503)
    tenant.fail("keys", status=503)
    assert status_for(api, token) == 200
    # Without keys, it does not start.
    with (
        pytest.raises(RuntimeError, match="503"),
        TestClient(create_app(settings)),
    ):
        pass
