"""Tests that PyPI msal gets a new token if an API revokes the user.

    target/tools/python/bin/python -B tests/clients/revoked.py

Needs `make tools`, and the environment that tests/todo_api/revocation.rs sets. Prints a line for
each flow that passed, and exits with 1 if a flow failed.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import msal
import requests
from matrix import AUTHORITY, ONE_ANSWER, redirect_to, run, settings
from visitor import ADA, Visitor

SCOPES = [settings["API_SCOPE"]]


def app(**options: Any) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(
        settings["DESKTOP_CLIENT_ID"],
        authority=AUTHORITY,
        # Otherwise it asks Microsoft whether this host is one of theirs.
        instance_discovery=False,
        timeout=ONE_ANSWER,
        **options,
    )


def sign_in(client: msal.PublicClientApplication) -> tuple[str, dict[str, Any]]:
    """The access token and the account of the person who signed in."""
    redirect_uri = redirect_to("")
    flow = client.initiate_auth_code_flow(SCOPES, redirect_uri=redirect_uri)
    back = Visitor().visit(flow["auth_uri"], redirect_uri)
    result = client.acquire_token_by_auth_code_flow(flow, back.answer)
    (account,) = client.get_accounts(ADA)
    return result["access_token"], account


def call(method: str, path: str, token: str) -> requests.Response:
    headers = {"authorization": f"Bearer {token}"}
    url = settings["API_URL"] + path
    return requests.request(method, url, headers=headers, timeout=ONE_ANSWER)


def revoke(token: str) -> dict[str, str]:
    """Revokes the caller, and returns the challenge for the old token."""
    assert call("GET", "/me", token).status_code == 200
    assert call("POST", "/revoke", token).status_code == 200
    refused = call("GET", "/me", token)
    assert refused.status_code == 401, refused.status_code
    return challenge(refused.headers["www-authenticate"])


def challenge(header: str) -> dict[str, str]:
    """The parameters, as the JavaScript in Microsoft's documentation reads them."""
    parameters = [part.split("=") for part in header.removeprefix("Bearer ").split(",")]
    return {name.strip(): value.strip('"') for name, value in parameters}


def with_cp1() -> None:
    client = app(client_capabilities=["CP1"])
    first, account = sign_in(client)
    refused = revoke(first)
    assert refused["error"] == "insufficient_claims", refused
    claims = base64.b64decode(refused["claims"]).decode()
    assert json.loads(claims)["access_token"]["nbf"]["essential"] is True, claims

    # Without the claims, MSAL returns the revoked token from its cache.
    cached = client.acquire_token_silent(SCOPES, account)
    assert cached["access_token"] == first
    renewed = client.acquire_token_silent_with_error(SCOPES, account, claims_challenge=claims)
    assert "access_token" in renewed, renewed
    assert renewed["access_token"] != first
    assert call("GET", "/me", renewed["access_token"]).status_code == 200
    cached = client.acquire_token_silent(SCOPES, account)
    assert cached["access_token"] == renewed["access_token"]


def without_cp1() -> None:
    client = app()
    first, account = sign_in(client)
    refused = revoke(first)
    assert refused["error"] == "invalid_token", refused
    assert "claims" not in refused, refused
    renewed = client.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert call("GET", "/me", renewed["access_token"]).status_code == 200


run("msal", msal.__version__, {"with cp1": with_cp1, "without cp1": without_cp1})
