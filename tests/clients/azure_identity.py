"""Tests the development tenant with PyPI azure-identity.

    target/tools/python/bin/python -B tests/clients/azure_identity.py

Needs `make tools`, and the environment that tests/todo_api/support/entra_clients.rs sets. Prints a
line for each flow that passed, and exits with 1 if a flow failed.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from azure.identity import (
    AuthorizationCodeCredential,
    CertificateCredential,
    ClientSecretCredential,
    DeviceCodeCredential,
    InteractiveBrowserCredential,
    OnBehalfOfCredential,
)
from matrix import (
    AUTHORITY,
    ONE_ANSWER,
    OWN_SCOPE,
    assert_api_forbids,
    assert_api_takes,
    assert_is_downstream,
    redirect_to,
    run,
    settings,
    unverified_claims,
)
from visitor import ADA, PICK, UMA, FakeBrowser, Visitor

SCOPE = settings["API_SCOPE"]
OURS: dict[str, Any] = {
    "tenant_id": settings["TENANT_ID"],
    "authority": settings["TENANT_HTTPS"],
    # Otherwise it asks Microsoft whether this host is one of theirs.
    "disable_instance_discovery": True,
    # The tests expect some refusals: do not retry them.
    "retry_total": 0,
}

browser = FakeBrowser()


def desktop(
    client_id: str = settings["DESKTOP_CLIENT_ID"], **options: str
) -> InteractiveBrowserCredential:
    return InteractiveBrowserCredential(client_id=client_id, timeout=ONE_ANSWER, **options, **OURS)


def sign_in(credential: InteractiveBrowserCredential | None = None) -> str:
    """Signs Ada in through the browser and returns the access token."""
    try:
        return (credential or desktop()).get_token(SCOPE).token
    finally:
        # The browser's error says more than the credential's, which has only waited.
        if browser.fault:
            raise browser.fault


def interactive() -> None:
    assert_api_takes(sign_in())


def code() -> None:
    assert_api_takes(sign_in())
    assert browser.asked.answer["code_challenge_method"] == "S256", browser.asked


def any_port() -> None:
    assert_api_takes(sign_in(desktop(settings["PORT_CLIENT_ID"])))


def form_post() -> None:
    assert_api_takes(sign_in())
    assert browser.back.mode == "form_post", browser.back


def silent() -> None:
    credential = desktop()
    token = sign_in(credential)
    browser.asked = None
    assert credential.get_token(SCOPE).token == token
    assert not browser.asked
    assert_api_takes(token)


def refresh() -> None:
    credential = desktop()
    token = sign_in(credential)
    browser.asked = None
    # The cached token does not contain the claim that the API requests.
    challenge = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    # The second round uses the refresh token from the first.
    for _ in range(2):
        renewed = credential.get_token(SCOPE, claims=challenge).token
        assert not browser.asked
        assert renewed != token
        assert_api_takes(renewed)
        token = renewed


def prompt_select_account() -> None:
    """The credential always sends this prompt. With only the hint, Ada would not be asked again."""
    browser.visitor = Visitor()
    try:
        for _ in range(2):
            assert_api_takes(sign_in(desktop(login_hint=ADA)))
            assert browser.visitor.pages[0] == PICK, browser.visitor.pages
    finally:
        browser.visitor = None


def login_hint() -> None:
    browser.visitor = Visitor(None)
    try:
        token = sign_in(desktop(login_hint=UMA))
    finally:
        browser.visitor = None
    assert unverified_claims(token)["preferred_username"] == UMA
    assert_api_takes(token)


def code_and_secret() -> None:
    redirect_uri = redirect_to("/auth/callback")
    query = {
        "client_id": settings["WEB_CLIENT_ID"],
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": f"{SCOPE} offline_access",
    }
    # The app builds this URL. The credential starts with the authorization code.
    back = Visitor().visit(f"{AUTHORITY}/oauth2/v2.0/authorize?{urlencode(query)}", redirect_uri)
    credential = AuthorizationCodeCredential(
        client_id=settings["WEB_CLIENT_ID"],
        client_secret=settings["WEB_SECRET"],
        authorization_code=back.answer["code"],
        redirect_uri=redirect_uri,
        **OURS,
    )
    assert_api_takes(credential.get_token(SCOPE).token)


def client_secret() -> None:
    credential = ClientSecretCredential(
        client_id=settings["DAEMON_CLIENT_ID"], client_secret=settings["DAEMON_SECRET"], **OURS
    )
    assert_api_forbids(credential.get_token(OWN_SCOPE).token)


def certificate() -> None:
    files = [Path(settings[name]).read_bytes() for name in ("DAEMON_KEY", "DAEMON_CERT")]
    credential = CertificateCredential(
        client_id=settings["DAEMON_CLIENT_ID"], certificate_data=b"\n".join(files), **OURS
    )
    assert_api_forbids(credential.get_token(OWN_SCOPE).token)


def device_code() -> None:
    credential = DeviceCodeCredential(
        client_id=settings["DESKTOP_CLIENT_ID"],
        prompt_callback=lambda uri, user_code, _: Visitor().approve(uri, user_code),
        **OURS,
    )
    assert_api_takes(credential.get_token(SCOPE).token)


def on_behalf_of() -> None:
    original = sign_in()
    credential = OnBehalfOfCredential(
        client_id=settings["API_CLIENT_ID"],
        client_secret=settings["API_SECRET"],
        user_assertion=original,
        **OURS,
    )
    token = credential.get_token(settings["DOWNSTREAM_SCOPE"]).token
    assert_is_downstream(token, original)


run(
    "azure-identity",
    version("azure-identity"),
    {
        "interactive": interactive,
        "code + PKCE": code,
        "any loopback port": any_port,
        "form_post": form_post,
        "silent": silent,
        "refresh": refresh,
        "prompt=select_account": prompt_select_account,
        "login_hint": login_hint,
        "code + secret": code_and_secret,
        "client secret": client_secret,
        "certificate": certificate,
        "device code": device_code,
        "on-behalf-of": on_behalf_of,
    },
)
