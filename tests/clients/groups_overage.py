"""Tests that PyPI msal gets tokens with which the groups of somebody in too many groups can be read
at the Microsoft Graph of the development tenant.

    target/tools/python/bin/python -B tests/clients/groups_overage.py

Needs `make tools`, and the environment that tests/todo_api/groups_overage.rs sets. Prints a line for
each flow that passed, and exits with 1 if a flow failed.
"""

from __future__ import annotations

from typing import Any

import msal
import requests
from matrix import AUTHORITY, ONE_ANSWER, redirect_to, run, settings, unverified_claims
from visitor import Visitor

MANY = "many@contoso.example"
GRAPH = settings["TENANT_HTTPS"] + "/graph/v1.0"
USER_READ = ["https://graph.microsoft.com/User.Read"]
# Otherwise it asks Microsoft whether this host is one of theirs.
OURS = {"authority": AUTHORITY, "instance_discovery": False, "timeout": ONE_ANSWER}


def token_of(result: dict[str, Any]) -> str:
    assert "access_token" in result, result
    return result["access_token"]


def confidential(client_id: str, secret: str) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(client_id, client_credential=secret, **OURS)


def sign_in(scopes: list[str]) -> str:
    app = confidential(settings["WEB_CLIENT_ID"], settings["WEB_SECRET"])
    redirect_uri = redirect_to("/auth/callback")
    flow = app.initiate_auth_code_flow(scopes, redirect_uri=redirect_uri)
    back = Visitor(MANY).visit(flow["auth_uri"], redirect_uri)
    return token_of(app.acquire_token_by_auth_code_flow(flow, back.answer))


def graph(method: str, url: str, token: str, body: Any = None) -> requests.Response:
    headers = {"authorization": f"Bearer {token}"}
    return requests.request(method, url, headers=headers, json=body, timeout=ONE_ANSWER)


def known_groups() -> set[str]:
    """The groups in the directory of the tenant."""
    url = f"{settings['TENANT_HTTP']}/_dev/directory/people/many"
    return set(requests.get(url, timeout=ONE_ANSWER).json()["groups"])


def on_behalf_of() -> None:
    """The API follows the overage claim in the token of its caller."""
    caller = sign_in([settings["API_SCOPE"]])
    claims = unverified_claims(caller)
    assert "groups" not in claims, claims
    source = claims["_claim_sources"][claims["_claim_names"]["groups"]]
    api = confidential(settings["API_CLIENT_ID"], settings["API_SECRET"])
    token = token_of(api.acquire_token_on_behalf_of(caller, USER_READ))
    response = graph("POST", source["endpoint"], token, {"securityEnabledOnly": True})
    groups = response.json()["value"]
    assert len(groups) == len(set(groups)) == 205, len(groups)
    assert set(groups) == known_groups()
    refused = graph("POST", source["endpoint"], caller, {"securityEnabledOnly": True})
    assert refused.status_code == 401, refused.text
    assert refused.json()["error"]["code"] == "InvalidAuthenticationToken", refused.text


def direct() -> None:
    """The app reads its user's groups in pages."""
    token = sign_in(["User.Read"])
    assert graph("GET", GRAPH + "/me", token).json()["userPrincipalName"] == MANY
    groups: list[str] = []
    url: str | None = GRAPH + "/me/memberOf?$select=id&$top=50"
    pages = 0
    while url:
        page = graph("GET", url, token).json()
        groups += [group["id"] for group in page["value"]]
        url = page.get("@odata.nextLink")
        pages += 1
    assert pages == 5 and len(groups) == 205, (pages, len(groups))
    assert set(groups) == known_groups()


def daemon() -> None:
    """An app with the app role reads the groups of everybody."""
    app = confidential(settings["DAEMON_CLIENT_ID"], settings["DAEMON_SECRET"])
    token = token_of(app.acquire_token_for_client(["https://graph.microsoft.com/.default"]))
    path = f"/users/{MANY}/getMemberObjects"
    response = graph("POST", GRAPH + path, token, {"securityEnabledOnly": False})
    assert set(response.json()["value"]) == known_groups(), response.text
    refused = graph("GET", GRAPH + "/me", token)
    assert refused.status_code == 400, refused.text


run(
    "msal",
    msal.__version__,
    {"on-behalf-of": on_behalf_of, "direct": direct, "daemon": daemon},
)
