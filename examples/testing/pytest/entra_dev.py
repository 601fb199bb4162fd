"""The development tenant in tests: one process, and an isolated tenant for each test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2 as httpx


class StartError(Exception):
    """The development tenant does not run."""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of the tenant in ENTRA_DEV_URL, or of a new process that ends with the block.

    The process keeps its keys and its log in the folder.
    """
    if url := os.environ.get("ENTRA_DEV_URL"):
        yield url.rstrip("/")
        return
    name = os.environ.get("ENTRA_DEV", "entra-dev")
    program = shutil.which(name)
    if program is None:
        raise StartError(f"{name} is not installed. Set ENTRA_DEV to the path of entra-dev.")
    log = folder / "entra-dev.log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            # Any free ports. If this process is killed, the tenant reads the end of its input.
            [program, "--port=0", "--https-port=0", "--until-stdin-closes"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            yield _printed_url(process, log)
        finally:
            process.terminate()


def _printed_url(process: subprocess.Popen[str], log: Path) -> str:
    """The tenant prints its URLs when it is ready."""
    assert process.stdout is not None
    for line in process.stdout:
        if url := re.match(r" *HTTP +(http://\S+)", line):
            return url[1]
    status = process.wait()
    raise StartError(f"entra-dev ended with status {status}:\n{log.read_text()}")


@contextmanager
def isolated(url: str) -> Iterator[Tenant]:
    """A tenant with people, apps, keys, faults and a clock of its own, until the block ends."""
    token = os.environ.get("ENTRA_DEV_CONTROL_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    hooks = {"response": [_raise_with_reason]}
    with httpx.Client(headers=headers, event_hooks=hooks, timeout=60) as http:
        tenant = Tenant(url, http, http.post(f"{url}/_dev/tenants", json={}).json())
        try:
            # Access tokens name the URL at which the API reads the keys.
            tenant.edit("PUT", "apps", "Todo API", "token_issuer", value=url)
            yield tenant
        finally:
            http.delete(tenant.controls)


class Tenant:
    """An isolated tenant."""

    def __init__(self, instance: str, http: httpx.Client, created: dict[str, Any]) -> None:
        self.instance = instance
        self.id: str = created["id"]
        self.controls: str = created["controls"]
        self._client_ids: dict[str, str] = {
            app["name"]: app["client_id"] for app in created["directory"]["apps"]
        }
        self._http = http

    def client_id(self, app: str) -> str:
        return self._client_ids[app]

    def token(self, person: str = "uma", **forgery: Any) -> str:
        """An access token of this person for the Todo API, with these changes.

        For example `claims={"aud": "another API"}`, `expires_in=-60` or `signed_with="stranger"`.
        """
        body = {"person": person, **forgery}
        token: str = self._http.post(f"{self.controls}/tokens", json=body).json()["access_token"]
        return token

    def rotate_keys(self, *, overlap: bool = True) -> None:
        """Signs with the next key. Without an overlap, the old one is withdrawn at once."""
        self._http.post(f"{self.controls}/keys/rotate", json={"overlap": overlap})

    def fail(self, endpoint: str, **plan: Any) -> None:
        """Makes an endpoint fail, such as `keys` with `status=503` or `latency_ms=2000`."""
        self._http.put(f"{self.controls}/faults/{endpoint}", json=plan)

    def set_clock(self, *, offset: int) -> None:
        """Sets how many seconds the tenant's clock is ahead of this machine's."""
        self._http.put(f"{self.controls}/clock", json={"offset": offset})

    def edit(self, method: str, *path: str, value: Any = None) -> None:
        """Changes a part of the directory, such as the people and their roles."""
        url = "/".join([f"{self.controls}/directory", *(quote(part, safe="") for part in path)])
        self._http.request(method, url, json=value)


def _raise_with_reason(response: httpx.Response) -> None:
    """The body of an error says what is wrong with the request."""
    if response.is_error:
        reason = response.read().decode()
        raise RuntimeError(f"{response.request.method} {response.request.url}: {reason}")
