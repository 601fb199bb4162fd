"""Judges access tokens with PyPI fastapi-azure-auth.

    target/tools/python/bin/python tests/foreign/judge.py DISCOVERY_URL CLIENT_ID NOW < TOKENS

Needs `make tools`. NOW is the time at which the tokens are judged, in seconds since 1970. Reads a
JSON string with a token from each line, and prints a line of JSON for each token:
{"accepted": true}, or {"accepted": false, "reason": "..."}. The guard of an operation is called
directly, as FastAPI would call it, without a server.
"""

import asyncio
import json
import logging
import sys
from datetime import datetime, timezone
from unittest import mock

from fastapi import HTTPException
from fastapi.security import SecurityScopes
from fastapi_azure_auth.auth import AzureAuthorizationCodeBearerBase
from starlette.requests import Request


async def main(discovery_url: str, client_id: str, now: str) -> None:
    guard = AzureAuthorizationCodeBearerBase(
        client_id,
        openid_config_url=discovery_url,
        leeway=60,
        # The tenant is on this machine: use no proxy.
        http_client_config={"trust_env": False},
    )
    # PyJWT, which checks the times, reads the clock of this machine.
    with mock.patch("jwt.api_jwt.datetime") as clock:
        clock.now.return_value = datetime.fromtimestamp(int(now), timezone.utc)
        for line in sys.stdin:
            print(json.dumps(await judge(guard, json.loads(line))))


async def judge(guard: AzureAuthorizationCodeBearerBase, token: str) -> dict[str, object]:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    try:
        await guard(Request({"type": "http", "headers": headers}), SecurityScopes())
    except HTTPException as refusal:
        cause = refusal.__cause__
        reason = f"{refusal.status_code} {refusal.detail}"
        return {"accepted": False, "reason": f"{reason}: {cause}" if cause else reason}
    return {"accepted": True}


# Otherwise every refusal is logged with a traceback.
logging.disable()
asyncio.run(main(*sys.argv[1:]))
