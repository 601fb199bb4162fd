"""Tests that a person on this machine can use the containers of compose.yaml: sign in at the
development tenant with PyPI msal, and create a todo.

    target/tools/python/bin/python -B tests/clients/images.py

Needs `make tools`, and the environment that tests/todo_api/images.rs sets. Prints a line for each
flow that passed, and exits with 1 if a flow failed.
"""

from __future__ import annotations

import msal
import requests
from matrix import AUTHORITY, ONE_ANSWER, redirect_to, run, settings, unverified_claims
from visitor import UMA, Visitor

TODOS = f"{settings['API_URL']}/todoitems"


def todo() -> None:
    app = msal.PublicClientApplication(
        settings["DESKTOP_CLIENT_ID"],
        authority=AUTHORITY,
        # Otherwise it asks Microsoft whether this host is one of theirs.
        instance_discovery=False,
        timeout=ONE_ANSWER,
    )
    redirect_uri = redirect_to("")
    flow = app.initiate_auth_code_flow([settings["API_SCOPE"]], redirect_uri=redirect_uri)
    back = Visitor(UMA).visit(flow["auth_uri"], redirect_uri)
    result = app.acquire_token_by_auth_code_flow(flow, back.answer)
    # The person and the API know the tenant by different names.
    assert result["id_token_claims"]["iss"] == f"{AUTHORITY}/v2.0", result["id_token_claims"]
    claims = unverified_claims(result["access_token"])
    assert claims["iss"] == f"{settings['API_AUTHORITY']}/v2.0", claims

    headers = {"authorization": f"Bearer {result['access_token']}"}
    body = {"item": {"name": "Walk the dog"}}
    created = requests.post(TODOS, json=body, headers=headers, timeout=ONE_ANSWER)
    assert created.status_code == 201, created.text
    listed = requests.get(TODOS, headers=headers, timeout=ONE_ANSWER).json()
    assert listed["items"] == [created.json()["item"]], listed


def refused() -> None:
    assert requests.get(TODOS, timeout=ONE_ANSWER).status_code == 401
    url = f"{settings['TENANT_HTTPS']}/_dev/tokens"
    body = {"person": "uma"}
    assert requests.post(url, json=body, timeout=ONE_ANSWER).status_code == 401


run("msal", msal.__version__, {"todo": todo, "refused": refused})
