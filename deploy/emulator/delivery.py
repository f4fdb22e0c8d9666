"""How an answer leaves: at once, late, as something else, or not at all."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from aiohttp import web

from deploy.emulator.call import Call
from deploy.emulator.outcome import Outcome
from deploy.emulator.runtime import Emulator
from deploy.emulator.usage import usage_headers

_LATE_MAX_S = 600.0
_CLIENT_WATCH_S = 0.05
_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"


async def deliver(request: web.Request, emulator: Emulator, outcome: Outcome) -> web.StreamResponse:
    """Send what came of a call, the way its fault wants."""
    fault = outcome.call.fault if outcome.call else None
    if fault is not None and outcome.answer == "late":
        await _wait(request, emulator.stopping, seconds=_LATE_MAX_S if fault.seconds is None else fault.seconds)
    status = outcome.status
    if status is None:
        if request.transport is not None:
            request.transport.abort()
        status = 500  # for nobody: the connection is gone
    if outcome.answer == "html":
        return web.Response(status=status, text=_GATEWAY_PAGE, content_type="text/html")
    headers = _headers(emulator, outcome.call) if outcome.call else None
    body = msgspec.json.encode(outcome.body)
    return web.Response(status=status, body=body, headers=headers, content_type="application/json", charset="utf-8")


async def _wait(request: web.Request, stopping: asyncio.Event, *, seconds: float) -> None:
    """Wait for the time, the client's leaving or the end of the application, whichever is first."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not stopping.is_set() and request.transport is not None and (left := until - loop.time()) > 0:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), min(left, _CLIENT_WATCH_S))


def _headers(emulator: Emulator, call: Call) -> dict[str, str]:
    return usage_headers(
        call.options,
        app=call.world.app_calls,
        account=call.activity.calls,
        business_id=call.account.app_scoped_id,
        now=emulator.clock.now(),
    )
