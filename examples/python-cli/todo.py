"""A command-line client of the todo API: device code with msal. README.md says how to run it."""

from __future__ import annotations

import os
import sys
from typing import Any

import msal
import requests

# The defaults are for the development tenant.
API_URL = os.environ.get("API_URL", "http://localhost:8000")
API_SCOPE = os.environ.get("API_SCOPE", "api://33333333-3333-4333-8333-333333333333/access_as_user")
AAD_INSTANCE = os.environ.get("AAD_INSTANCE", "https://localhost:8443")
AAD_TENANT_ID = os.environ.get("AAD_TENANT_ID", "11111111-1111-4111-8111-111111111111")
CLIENT_ID = os.environ.get("CLIENT_ID", "66666666-6666-4666-8666-666666666666")

USAGE = "usage: todo.py list | add NAME | done ID | delete ID"


def sign_in() -> str:
    """Returns an access token for the person who enters the code."""
    app = msal.PublicClientApplication(
        CLIENT_ID,
        authority=f"{AAD_INSTANCE}/{AAD_TENANT_ID}",
        # Microsoft does not know the host of the development tenant.
        instance_discovery=False if "localhost" in AAD_INSTANCE else None,
    )
    flow = app.initiate_device_flow(scopes=[API_SCOPE])
    if "user_code" not in flow:
        sys.exit(flow["error_description"])
    page, code = flow["verification_uri"], flow["user_code"]
    print(f"To sign in, open {page} and enter the code {code}", file=sys.stderr, flush=True)
    result = app.acquire_token_by_device_flow(flow)
    if "access_token" not in result:
        sys.exit(result["error_description"])
    return result["access_token"]


class TodoApi:
    def __init__(self, token: str) -> None:
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def list(self) -> None:
        after = None
        while True:
            page = self._send("GET", "/todoitems", params={"after": after}).json()
            for todo in page["items"]:
                show(todo)
            after = page.get("next")
            if after is None:
                break

    def add(self, name: str) -> None:
        show(self._send("POST", "/todoitems", json={"item": {"name": name}}).json()["item"])

    def done(self, todo_id: str) -> None:
        """Completes a todo unless somebody changes it at the same time."""
        path = f"/todoitems/{todo_id}"
        unchanged = {"If-Match": self._send("GET", path).headers["ETag"]}
        change = {"item": {"is_complete": True}}
        show(self._send("PATCH", path, headers=unchanged, json=change).json()["item"])

    def delete(self, todo_id: str) -> None:
        self._send("DELETE", f"/todoitems/{todo_id}")

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        response = self._session.request(method, API_URL + path, timeout=10, **options)
        if not response.ok:
            problem = response.json()
            sys.exit(f"{problem['code']}: {problem['detail']}")
        return response


def show(todo: dict[str, Any]) -> None:
    print(f"{todo['id']} [{'x' if todo['is_complete'] else ' '}] {todo['name']}")


def main() -> None:
    match sys.argv[1:]:
        case ["list"]:
            TodoApi(sign_in()).list()
        case ["add" | "done" | "delete" as command, argument]:
            getattr(TodoApi(sign_in()), command)(argument)
        case _:
            sys.exit(USAGE)


if __name__ == "__main__":
    main()
