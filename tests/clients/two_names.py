"""Tests that PyPI msal, in a daemon that knows the development tenant by another name than
localhost, gets tokens that the API accepts.

    target/tools/python/bin/python -B tests/clients/two_names.py

Needs `make tools`, and the environment that tests/todo_api/two_names.rs sets. Prints a line for
each flow that passed, and exits with 1 if a flow failed.
"""

from __future__ import annotations

import msal
import requests
from matrix import (
    AUTHORITY,
    ONE_ANSWER,
    OWN_SCOPE,
    assert_api_forbids,
    assert_api_refuses,
    run,
    settings,
    unverified_claims,
)


def daemon() -> None:
    client = msal.ConfidentialClientApplication(
        settings["DAEMON_CLIENT_ID"],
        client_credential=settings["DAEMON_SECRET"],
        authority=AUTHORITY,
        # Otherwise it asks Microsoft whether this host is one of theirs.
        instance_discovery=False,
        timeout=ONE_ANSWER,
    )
    result = client.acquire_token_for_client([OWN_SCOPE])
    token = result["access_token"]
    assert unverified_claims(token)["iss"] == f"{AUTHORITY}/v2.0", token
    # The API lists todos for people only, so it has accepted the token of the app.
    assert_api_forbids(token)
    assert_api_refuses(token[:-4] + "AAAA")


def control() -> None:
    """Without the control token, nobody who can reach the tenant can forge tokens."""
    url = f"{settings['TENANT_HTTPS']}/_dev/tokens"
    body = {"person": "ada"}
    assert requests.post(url, json=body, timeout=ONE_ANSWER).status_code == 401
    headers = {"authorization": f"Bearer {settings['CONTROL_TOKEN']}"}
    answer = requests.post(url, json=body, headers=headers, timeout=ONE_ANSWER)
    claims = unverified_claims(answer.json()["access_token"])
    assert claims["iss"] == f"{AUTHORITY}/v2.0", claims


run("msal", msal.__version__, {"daemon": daemon, "control": control})
