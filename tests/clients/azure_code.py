"""Code for Azure with the development tenant: managed identities and workload identity, with PyPI
azure-identity and msal.

    target/tools/python/bin/python -B tests/clients/azure_code.py

Needs `make tools`, and the environment that tests/todo_api/azure_code.rs sets. Prints a line for
each row that passed, and exits with 1 if a row failed.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any
from unittest import mock

import msal
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    ClientAssertionCredential,
    CredentialUnavailableError,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from matrix import AUTHORITY, ONE_ANSWER, OWN_SCOPE, run, settings, unverified_claims

SYSTEM = settings["SYSTEM_CLIENT_ID"]
USER = settings["USER_CLIENT_ID"]
DEPLOYER = settings["DEPLOYER_CLIENT_ID"]
TRUSTING = settings["TRUSTING_CLIENT_ID"]
RESOURCE = OWN_SCOPE.removesuffix("/.default")
EXCHANGE = "api://AzureADTokenExchange"
# The tests expect some refusals: do not retry them.
ONCE: dict[str, Any] = {"retry_total": 0}

addresses: set[str] = set()
connect = socket.socket.connect


def connect_and_remember(self: socket.socket, address: Any) -> None:
    addresses.add(str(address[0]))
    connect(self, address)


@contextmanager
def environment(**variables: str | None):
    """Sets variables for a while; `None` removes one."""
    with mock.patch.dict(os.environ):
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        yield


def on_a_virtual_machine():
    """Without these variables, libraries ask IMDS at AZURE_POD_IDENTITY_AUTHORITY_HOST."""
    return environment(IDENTITY_ENDPOINT=None, IDENTITY_HEADER=None)


def assert_recorded(token: str, client_id: str) -> None:
    """The API that admits apps takes the token."""
    claims = unverified_claims(token)
    assert (claims["azp"], claims["azpacr"]) == (client_id, "2"), claims
    headers = {"authorization": f"Bearer {token}"}
    run_of_job = {"summary": f"by {client_id}"}
    url = f"{settings['STANDALONE_API_URL']}/runs"
    answer = requests.post(url, json=run_of_job, headers=headers, timeout=ONE_ANSWER)
    assert answer.status_code == 200, answer.text


def token_of(credential: Any) -> str:
    return credential.get_token(OWN_SCOPE).token


def system_assigned() -> None:
    assert_recorded(token_of(ManagedIdentityCredential(**ONCE)), SYSTEM)


def user_assigned() -> None:
    credential = ManagedIdentityCredential(client_id=USER, **ONCE)
    token = token_of(credential)
    assert_recorded(token, USER)
    assert token_of(credential) == token, "it is cached"
    for name, value in [
        ("object_id", unverified_claims(token)["oid"]),
        ("resource_id", settings["USER_RESOURCE_ID"]),
    ]:
        credential = ManagedIdentityCredential(identity_config={name: value}, **ONCE)
        assert_recorded(token_of(credential), USER)


def refused(credential: Any, text: str) -> None:
    try:
        credential.get_token(OWN_SCOPE)
    except (ClientAuthenticationError, CredentialUnavailableError) as error:
        assert text in str(error), error
        return
    raise AssertionError("it got a token")


def unknown_identity() -> None:
    credential = ManagedIdentityCredential(client_id=DEPLOYER, **ONCE)
    refused(credential, "No Managed Identity found")
    with environment(IDENTITY_HEADER="wrong"):
        refused(ManagedIdentityCredential(**ONCE), "X-IDENTITY-HEADER")
    with on_a_virtual_machine():
        refused(ManagedIdentityCredential(client_id=DEPLOYER, **ONCE), "Identity not found")


def imds() -> None:
    with on_a_virtual_machine():
        system_assigned()
        user_assigned()


def default_credential() -> None:
    assert_recorded(token_of(DefaultAzureCredential(**ONCE)), SYSTEM)
    with environment(AZURE_CLIENT_ID=USER):
        assert_recorded(token_of(DefaultAzureCredential(**ONCE)), USER)
        with on_a_virtual_machine():
            assert_recorded(token_of(DefaultAzureCredential(**ONCE)), USER)


def msal_identity() -> None:
    system = msal.SystemAssignedManagedIdentity()
    user = msal.UserAssignedManagedIdentity
    for identity, client_id in [
        (system, SYSTEM),
        (user(client_id=USER), USER),
        (user(resource_id=settings["USER_RESOURCE_ID"]), USER),
    ]:
        for where in (environment, on_a_virtual_machine):
            with where():
                client = msal.ManagedIdentityClient(identity, http_client=requests.Session())
                result = client.acquire_token_for_client(resource=RESOURCE)
                assert "access_token" in result, result
                # A day, less what has passed since.
                assert 82_800 < result["expires_in"] <= 86_400, result["expires_in"]
                assert_recorded(result["access_token"], client_id)
    client = msal.ManagedIdentityClient(user(client_id=DEPLOYER), http_client=requests.Session())
    result = client.acquire_token_for_client(resource=RESOURCE)
    assert "No Managed Identity found" in result["error_description"], result


@contextmanager
def in_a_pod():
    """The environment that Kubernetes injects."""
    with environment(
        AZURE_AUTHORITY_HOST=settings["TENANT_HTTPS"],
        AZURE_TENANT_ID=settings["TENANT_ID"],
        AZURE_CLIENT_ID=DEPLOYER,
        AZURE_FEDERATED_TOKEN_FILE=settings["FOREIGN_TOKEN_FILE"],
    ):
        yield


def workload_identity() -> None:
    options = {"disable_instance_discovery": True, **ONCE}
    with in_a_pod():
        assert_recorded(token_of(WorkloadIdentityCredential(**options)), DEPLOYER)
        assert_recorded(token_of(DefaultAzureCredential(**options)), DEPLOYER)
        refused(WorkloadIdentityCredential(client_id=TRUSTING, **options), "AADSTS700211")


def foreign_token() -> str:
    with open(settings["FOREIGN_TOKEN_FILE"], encoding="ascii") as file:
        return file.read()


def client_assertion(client_id: str, assertion: Callable[[], str]) -> dict[str, Any]:
    app = msal.ConfidentialClientApplication(
        client_id,
        client_credential={"client_assertion": assertion},
        authority=AUTHORITY,
        instance_discovery=False,
    )
    return app.acquire_token_for_client([OWN_SCOPE])


def msal_assertion() -> None:
    result = client_assertion(DEPLOYER, foreign_token)
    assert "access_token" in result, result
    assert_recorded(result["access_token"], DEPLOYER)
    result = client_assertion(DEPLOYER, lambda: foreign_token()[:-8] + "A" * 8)
    assert result["error_codes"] == [700027], result


def identity_as_credential() -> None:
    """An app that trusts a managed identity has no secret, either."""
    identity = ManagedIdentityCredential(client_id=USER, **ONCE)

    def assertion() -> str:
        return identity.get_token(f"{EXCHANGE}/.default").token

    credential = ClientAssertionCredential(
        settings["TENANT_ID"], TRUSTING, assertion, authority=settings["TENANT_HTTPS"], **ONCE
    )
    assert_recorded(token_of(credential), TRUSTING)
    result = client_assertion(TRUSTING, assertion)
    assert "access_token" in result, result


def only_this_machine() -> None:
    """No library has asked Azure's link-local address."""
    assert addresses <= {"127.0.0.1", "::1"}, addresses
    assert addresses, "nothing was recorded"


print(f"version: msal {version('msal')}")
with mock.patch.object(socket.socket, "connect", connect_and_remember):
    run(
        "azure-identity",
        version("azure-identity"),
        {
            "system-assigned": system_assigned,
            "user-assigned": user_assigned,
            "unknown identity": unknown_identity,
            "IMDS": imds,
            "default credential": default_credential,
            "msal: managed identity": msal_identity,
            "workload identity": workload_identity,
            "msal: client assertion": msal_assertion,
            "identity as credential": identity_as_credential,
            "only this machine": only_this_machine,
        },
    )
