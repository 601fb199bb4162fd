"""Tests that PyPI msal gets the tokens of an agent, and what APIs with policies about agents do with
them.

    target/tools/python/bin/python -B tests/clients/agents.py

Needs `make tools`, and the environment that tests/todo_api/agents.rs sets. Prints a line for each
flow that passed, and exits with 1 if a flow failed.
"""

from __future__ import annotations

from typing import Any

import msal
import requests
from matrix import AUTHORITY, ONE_ANSWER, assert_api_takes, redirect_to, run, settings, unverified_claims
from visitor import UMA, Visitor

SCOPES = [settings["API_SCOPE"]]
OWN_SCOPE = [f"{settings['API_CLIENT_ID']}/.default"]
EXCHANGE = ["api://AzureADTokenExchange/.default"]
BLUEPRINT, AGENT, OTHER_AGENT = (
    settings[name] for name in ["BLUEPRINT_CLIENT_ID", "AGENT_CLIENT_ID", "OTHER_AGENT_CLIENT_ID"]
)
AGENT_USER, AGENT_USER_OID = settings["AGENT_USER"], settings["AGENT_USER_OID"]
# Otherwise it asks Microsoft whether this host is one of theirs.
OURS = {"authority": AUTHORITY, "instance_discovery": False, "timeout": ONE_ANSWER}

blueprint = msal.ConfidentialClientApplication(
    BLUEPRINT, client_credential=settings["BLUEPRINT_SECRET"], **OURS
)


def agent(client_id: str = AGENT) -> msal.ConfidentialClientApplication:
    """An agent, for which its blueprint authenticates."""

    def assertion() -> str:
        return token_of(blueprint.acquire_token_for_client(EXCHANGE, fmi_path=client_id))

    credential = {"client_assertion": assertion}
    return msal.ConfidentialClientApplication(client_id, client_credential=credential, **OURS)


def token_of(result: dict[str, Any]) -> str:
    assert "access_token" in result, result
    return result["access_token"]


def assert_policies(token: str, no_agents: int, humans_only: int) -> None:
    """Checks the status of the operation with each policy. Anybody may call the first one."""
    expected = {"/anybody": 200, "/no-agents": no_agents, "/humans-only": humans_only}
    headers = {"authorization": f"Bearer {token}"}
    for path, status in expected.items():
        response = requests.get(settings["POLICY_URL"] + path, headers=headers, timeout=ONE_ANSWER)
        assert response.status_code == status, f"{path}: {response.status_code} {response.text}"
        if path == "/no-agents" and status == 403:
            assert "not for agents" in response.json()["detail"], response.text


def user_account(app: msal.ConfidentialClientApplication, **user: str) -> dict[str, Any]:
    """The response to an agent that acts as a user account."""
    credential = token_of(app.acquire_token_for_client(EXCHANGE))
    return app.acquire_token_by_user_federated_identity_credential(SCOPES, credential, **user)


def as_an_app() -> None:
    result = agent().acquire_token_for_client(OWN_SCOPE)
    assert_policies(token_of(result), no_agents=403, humans_only=403)


def as_its_user_account() -> None:
    app = agent()
    for user in [{"user_object_id": AGENT_USER_OID}, {"username": AGENT_USER}]:
        result = user_account(app, **user)
        token = token_of(result)
        assert result["id_token_claims"]["preferred_username"] == AGENT_USER, result
        assert_policies(token, no_agents=403, humans_only=403)
        assert_api_takes(token)
    (account,) = app.get_accounts(AGENT_USER)
    cached = app.acquire_token_silent_with_error(SCOPES, account)
    assert cached["token_source"] == "cache", cached
    renewed = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert token_of(renewed) != cached["access_token"]
    assert_policies(renewed["access_token"], no_agents=403, humans_only=403)


def for_a_person() -> None:
    """The person called the API of the blueprint."""
    desktop = msal.PublicClientApplication(settings["DESKTOP_CLIENT_ID"], **OURS)
    caller = sign_in(desktop, [f"api://{BLUEPRINT}/ask"])
    result = agent().acquire_token_on_behalf_of(caller, SCOPES)
    token = token_of(result)
    assert unverified_claims(token)["azp"] == AGENT, token
    assert_policies(token, no_agents=403, humans_only=200)


def without_an_agent() -> None:
    desktop = msal.PublicClientApplication(settings["DESKTOP_CLIENT_ID"], **OURS)
    assert_policies(sign_in(desktop, SCOPES), no_agents=200, humans_only=200)


def sign_in(app: msal.PublicClientApplication, scopes: list[str]) -> str:
    redirect_uri = redirect_to("")
    flow = app.initiate_auth_code_flow(scopes, redirect_uri=redirect_uri)
    back = Visitor(UMA).visit(flow["auth_uri"], redirect_uri)
    return token_of(app.acquire_token_by_auth_code_flow(flow, back.answer))


def refused() -> None:
    for result, code in [
        (blueprint.acquire_token_for_client(EXCHANGE), 82008),
        (blueprint.acquire_token_for_client(OWN_SCOPE), 82001),
        (blueprint.acquire_token_for_client(EXCHANGE, fmi_path=BLUEPRINT), 700016),
        (user_account(agent(OTHER_AGENT), username=AGENT_USER), 700213),
        (user_account(agent(), username=UMA), 700213),
    ]:
        assert result.get("error_codes") == [code], result


run(
    "msal",
    msal.__version__,
    {
        "as an app": as_an_app,
        "as its user account": as_its_user_account,
        "for a person": for_a_person,
        "without an agent": without_an_agent,
        "refused": refused,
    },
)
