"""Tests the development tenant with PyPI msal.

    target/tools/python/bin/python -B tests/clients/msal_python.py

Needs `make tools`, and the environment that tests/todo_api/support/entra_clients.rs sets. Prints a
line for each flow that passed, and exits with 1 if a flow failed.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msal
from matrix import (
    AUTHORITY,
    ONE_ANSWER,
    OWN_SCOPE,
    assert_api_forbids,
    assert_api_refuses,
    assert_api_takes,
    assert_is_downstream,
    redirect_to,
    run,
    settings,
    unverified_claims,
)
from visitor import ADA, CONSENT, PICK, UMA, FakeBrowser, Visitor

SCOPES = [settings["API_SCOPE"]]
# Otherwise it asks Microsoft whether this host is one of theirs.
OURS = {"authority": AUTHORITY, "instance_discovery": False, "timeout": ONE_ANSWER}

browser = FakeBrowser()


def desktop(**options: Any) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(settings["DESKTOP_CLIENT_ID"], **{**OURS, **options})


def confidential(client_id: str, credential: Any) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(client_id, client_credential=credential, **OURS)


def web() -> msal.ConfidentialClientApplication:
    return confidential(settings["WEB_CLIENT_ID"], settings["WEB_SECRET"])


def asking_site() -> msal.ConfidentialClientApplication:
    """An app that needs people's consent."""
    return confidential(settings["CONSENT_CLIENT_ID"], settings["CONSENT_SECRET"])


def sign_in(
    app: msal.ClientApplication, path: str, visitor: Visitor | None = None, **options: str
) -> dict[str, Any]:
    """Signs somebody in with an authorization code. Returns the app's tokens, or the error."""
    redirect_uri = redirect_to(path)
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=redirect_uri, **options)
    back = (visitor or Visitor()).visit(flow["auth_uri"], redirect_uri)
    assert back.mode == options.get("response_mode", "query"), back.mode
    return app.acquire_token_by_auth_code_flow(flow, back.answer)


def assert_is_ada(result: dict[str, Any]) -> None:
    assert_is(ADA, result)


def assert_is(account: str, result: dict[str, Any]) -> None:
    assert "access_token" in result, result
    claims = result["id_token_claims"]
    assert claims["preferred_username"] == account, claims
    assert claims["tid"] == settings["TENANT_ID"], claims
    assert_api_takes(result["access_token"])


def code() -> None:
    assert_is_ada(sign_in(desktop(), ""))


def code_and_secret() -> None:
    assert_is_ada(sign_in(web(), "/auth/callback"))


def any_port() -> None:
    app = msal.PublicClientApplication(settings["PORT_CLIENT_ID"], **OURS)
    for _ in range(2):
        assert_is_ada(sign_in(app, ""))


def query() -> None:
    assert_is_ada(sign_in(web(), "/auth/callback", response_mode="query"))


def form_post() -> None:
    assert_is_ada(sign_in(web(), "/auth/callback", response_mode="form_post"))


def fragment() -> None:
    assert_is_ada(sign_in(web(), "/auth/callback", response_mode="fragment"))


def instance_discovery() -> None:
    """msal asks the tenant, instead of Microsoft, whether the host is one of Microsoft's."""
    endpoint = f"{settings['TENANT_HTTPS']}/common/discovery/instance"
    assert_is_ada(sign_in(desktop(instance_discovery=endpoint), ""))


def silent() -> None:
    app = desktop()
    result = sign_in(app, "")
    (account,) = app.get_accounts(ADA)
    cached = app.acquire_token_silent_with_error(SCOPES, account)
    assert cached["access_token"] == result["access_token"]
    assert cached["token_source"] == "cache", cached["token_source"]
    assert_api_takes(cached["access_token"])


def refresh() -> None:
    app = desktop()
    result = sign_in(app, "")
    (account,) = app.get_accounts(ADA)
    # The second round uses the refresh token from the first.
    for _ in range(2):
        renewed = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
        assert "access_token" in renewed, renewed
        assert renewed["access_token"] != result["access_token"]
        assert_api_takes(renewed["access_token"])
        result = renewed


def proof_of_possession() -> None:
    app = desktop()
    assert_is_ada(sign_in(app, ""))
    (account,) = app.get_accounts(ADA)
    # The thumbprint of the example of RFC 7638.
    kid = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    req_cnf = base64.urlsafe_b64encode(json.dumps({"kid": kid}).encode()).decode()
    data = {"token_type": "pop", "req_cnf": req_cnf, "key_id": kid}
    result = app.acquire_token_silent_with_error(SCOPES, account, data=data)
    assert result["token_type"] == "pop", result
    assert unverified_claims(result["access_token"])["cnf"] == {"kid": kid}
    assert_api_refuses(result["access_token"])


def prompt_none() -> None:
    visitor = Visitor()
    assert_is_ada(sign_in(web(), "/auth/callback", visitor))
    assert_is_ada(sign_in(web(), "/auth/callback", visitor, prompt="none"))
    refused = sign_in(web(), "/auth/callback", prompt="none")
    assert refused["error"] == "login_required", refused


def login_hint() -> None:
    visitor = Visitor(None)
    assert_is(UMA, sign_in(desktop(), "", visitor, login_hint=UMA))
    assert visitor.pages == [PICK], visitor.pages
    # A person who is signed in is not asked again.
    assert_is(UMA, sign_in(desktop(), "", visitor, login_hint=UMA))
    assert visitor.pages == [], visitor.pages


def asked_again(prompt: str) -> None:
    """With only the hint, she would not be asked: see `login_hint`."""
    visitor = Visitor()
    assert_is_ada(sign_in(desktop(), "", visitor))
    assert_is_ada(sign_in(desktop(), "", visitor, login_hint=ADA, prompt=prompt))
    assert visitor.pages == [PICK], visitor.pages


def prompt_login() -> None:
    asked_again("login")


def prompt_select_account() -> None:
    asked_again("select_account")


def prompt_consent() -> None:
    visitor = Visitor()
    for options, pages in [
        ({}, [PICK, CONSENT]),
        ({}, [PICK]),
        ({"prompt": "consent"}, [PICK, CONSENT]),
    ]:
        assert_is_ada(sign_in(asking_site(), "/auth/callback", visitor, **options))
        assert visitor.pages == pages, visitor.pages


def interactive() -> None:
    result = desktop().acquire_token_interactive(SCOPES, timeout=ONE_ANSWER)
    if browser.fault:
        raise browser.fault
    assert_is_ada(result)


def device_code() -> None:
    app = desktop()
    flow = app.initiate_device_flow(SCOPES)
    assert "user_code" in flow, flow
    Visitor().approve(flow["verification_uri"], flow["user_code"])
    assert_is_ada(app.acquire_token_by_device_flow(flow))


def client_credentials(credential: Any) -> None:
    app = confidential(settings["DAEMON_CLIENT_ID"], credential)
    result = app.acquire_token_for_client([OWN_SCOPE])
    assert "access_token" in result, result
    assert_api_forbids(result["access_token"])


def client_secret() -> None:
    client_credentials(settings["DAEMON_SECRET"])


def certificate() -> None:
    client_credentials(
        {
            "private_key": Path(settings["DAEMON_KEY"]).read_text(),
            "public_certificate": Path(settings["DAEMON_CERT"]).read_text(),
        }
    )


def on_behalf_of() -> None:
    original = sign_in(desktop(), "")["access_token"]
    api = confidential(settings["API_CLIENT_ID"], settings["API_SECRET"])
    result = api.acquire_token_on_behalf_of(original, [settings["DOWNSTREAM_SCOPE"]])
    assert "access_token" in result, result
    assert_is_downstream(result["access_token"], original)


run(
    "msal",
    msal.__version__,
    {
        "interactive": interactive,
        "code + PKCE": code,
        "code + secret": code_and_secret,
        "any loopback port": any_port,
        "query": query,
        "form_post": form_post,
        "fragment": fragment,
        "instance discovery": instance_discovery,
        "silent": silent,
        "refresh": refresh,
        "proof of possession": proof_of_possession,
        "prompt=none": prompt_none,
        "prompt=login": prompt_login,
        "prompt=select_account": prompt_select_account,
        "prompt=consent": prompt_consent,
        "login_hint": login_hint,
        "client secret": client_secret,
        "certificate": certificate,
        "device code": device_code,
        "on-behalf-of": on_behalf_of,
    },
)
