"""Shared by the scripts: settings, the rows of flows, and calls of the API with the tokens."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import requests

# When the scripts give up, in seconds. The limits only end a script that hangs. They say nothing
# about speed, because in CI, all tests share two processors.
ONE_ROW = 600
ALL_ROWS = 1_800
ONE_ANSWER = 120

settings = os.environ

AUTHORITY = f"{settings['TENANT_HTTPS']}/{settings['TENANT_ID']}"
OWN_SCOPE = f"api://{settings['API_CLIENT_ID']}/.default"


def run(library: str, version: str, rows: dict[str, Callable[[], None]]) -> None:
    """Runs the rows, which map the name of a flow to its steps, and ends the process."""
    print(f"version: {library} {version}", flush=True)
    signal.signal(signal.SIGALRM, _late)
    end = time.monotonic() + ALL_ROWS
    failed = False
    for flow, steps in rows.items():
        try:
            # The timer interrupts anything that waits, also inside the library.
            signal.setitimer(signal.ITIMER_REAL, max(0.001, min(ONE_ROW, end - time.monotonic())))
            steps()
            print(f"ok: {flow}", flush=True)
        except Exception as error:
            failed = True
            print(f"FAILED: {flow}: {error!r}", file=sys.stderr, flush=True)
            traceback.print_exc()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    sys.exit(failed)


def _late(*_: object) -> None:
    raise TimeoutError("the row took too long")


def assert_api_takes(token: str) -> None:
    assert _status_for(token) == 200, f"{_status_for(token)} from the API"


def assert_api_forbids(token: str) -> None:
    """The API knows the app, but the token has no scope of a user."""
    assert _status_for(token) == 403, f"{_status_for(token)} from the API"


def assert_api_refuses(token: str) -> None:
    """The token is for another API, or it is bound to a key."""
    assert _status_for(token) == 401, f"{_status_for(token)} from the API"


def _status_for(token: str) -> int:
    url = f"{settings['API_URL']}/todoitems"
    headers = {"authorization": f"Bearer {token}"}
    return requests.get(url, headers=headers, timeout=ONE_ANSWER).status_code


def unverified_claims(token: str) -> dict[str, Any]:
    """The claims of a token, without verifying it."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def assert_is_downstream(token: str, original: str) -> None:
    """On-behalf-of gives a token for the downstream API and the same person."""
    claims, before = unverified_claims(token), unverified_claims(original)
    assert f"api://{claims['aud']}/{claims['scp']}" == settings["DOWNSTREAM_SCOPE"], claims
    assert claims["oid"] == before["oid"], claims
    assert claims["azp"] == settings["API_CLIENT_ID"], claims
    assert_api_refuses(token)


def redirect_to(path: str) -> str:
    """A redirect URI on a port where nothing listens: the visitor stops before it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://localhost:{server.getsockname()[1]}{path}"
