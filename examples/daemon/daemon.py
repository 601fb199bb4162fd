"""A job that calls APIs as itself, without a user: client credentials with msal. README.md says how
to run it."""

from __future__ import annotations

import os
import sys

import msal
import requests

# The defaults are for the development tenant.
TODO_API_URL = os.environ.get("API_URL", "http://localhost:8000")
STANDALONE_API_URL = os.environ.get("STANDALONE_API_URL", "http://localhost:3000")
API_CLIENT_ID = os.environ.get("API_CLIENT_ID", "33333333-3333-4333-8333-333333333333")
AAD_INSTANCE = os.environ.get("AAD_INSTANCE", "https://localhost:8443")
AAD_TENANT_ID = os.environ.get("AAD_TENANT_ID", "11111111-1111-4111-8111-111111111111")
CLIENT_ID = os.environ.get("CLIENT_ID", "55555555-5555-4555-8555-555555555555")
CLIENT_SECRET = os.environ.get("CLIENT_SECRET", "dev-secret")


def access_token() -> str:
    """A token with the app roles that an administrator has assigned to this app."""
    app = msal.ConfidentialClientApplication(
        CLIENT_ID,
        client_credential=CLIENT_SECRET,
        authority=f"{AAD_INSTANCE}/{AAD_TENANT_ID}",
        # Microsoft does not know the host of the development tenant.
        instance_discovery=False if "localhost" in AAD_INSTANCE else None,
    )
    # An app cannot request single permissions.
    result = app.acquire_token_for_client(scopes=[f"api://{API_CLIENT_ID}/.default"])
    if "access_token" not in result:
        sys.exit(result["error_description"])
    return result["access_token"]


def main() -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {access_token()}"

    # Todos belong to people, so the todo API refuses every app.
    todos = session.get(f"{TODO_API_URL}/todoitems", timeout=10)
    print(f"list todos: {todos.status_code} {todos.json().get('code', '')}")

    # This operation allows apps with the app role Todos.ReadWrite.All.
    run = {"summary": "Tidied up"}
    recorded = session.post(f"{STANDALONE_API_URL}/runs", json=run, timeout=10)
    print(f"record a run: {recorded.status_code} {recorded.json().get('code', '')}".rstrip())


if __name__ == "__main__":
    main()
