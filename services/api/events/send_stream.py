"""Sending one stream, until its client leaves or there is a reason to end it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import hdrs, web

from services.api.events import frames
from services.api.events.feed import EventFeed
from services.api.events.subscription import Ending, Subscription
from services.api.http import Caller, ProblemError, Scope
from shared import metrics
from shared.errors import NotReadyError

_HEARTBEAT_S = 15.0
_WRITE_DEADLINE_S = 15.0
_FAREWELL_S = 1.0
_CHECK_KEY_S = 60.0
_HEADERS = {
    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-store, no-transform",
    "X-Accel-Buffering": "no",  # reverse proxies pass each event on at once
}
_FAREWELLS = {
    Ending.UNAUTHENTICATED: ("unauthenticated", "The API key is not valid any more, or was changed. Connect again."),
    Ending.SLOW_READER: ("slow_reader", f"Nothing was read for {_WRITE_DEADLINE_S:g} s. Connect again to go on."),
    Ending.FAILED: ("not_ready", "A server this one needs does not answer. Connect again to go on."),
}

#: Says again whose key the request carries.
Authenticate = Callable[[], Awaitable[Caller]]


async def send_stream(
    request: web.Request,
    first: bytes,
    *,
    feed: EventFeed,
    subscription: Subscription,
    caller: Caller,
    authenticate: Authenticate,
) -> web.StreamResponse:
    """Send `first`, and then whatever the subscription wants."""
    response, is_stuck = web.StreamResponse(headers=_HEADERS), False
    watching = asyncio.create_task(_watch_key(subscription, caller, authenticate))
    try:
        await response.prepare(request)
        await _write(response, first, subscription)
        await _send(response, feed, subscription, caller)
    except ConnectionError:
        subscription.end(Ending.CLIENT_LEFT)
    except TimeoutError:
        is_stuck = True
        subscription.end(Ending.SLOW_READER)
    except NotReadyError:
        subscription.end(Ending.FAILED)
    finally:
        watching.cancel()
    ending = subscription.ending or Ending.CLIENT_LEFT
    metrics.event_streams_ended_total.labels(ending.value).inc()
    await _say_farewell(response, ending)
    if is_stuck and request.transport is not None:
        # What waits in the socket would never be read, and an orderly end waits for that.
        request.transport.abort()
    return response


async def _send(response: web.StreamResponse, feed: EventFeed, subscription: Subscription, caller: Caller) -> None:
    while subscription.ending is None:
        was_live = subscription.live
        found = await feed.next(subscription, user_id=caller.user_id, wait_s=_HEARTBEAT_S)
        if found:
            await _write(response, b"".join(frame.text for frame in found), subscription)
            metrics.events_streamed_total.inc(len(found))
        elif was_live and subscription.ending is None:
            await _write(response, frames.heartbeat(subscription.position), subscription)


async def _write(response: web.StreamResponse, text: bytes, subscription: Subscription) -> None:
    try:
        async with asyncio.timeout(_WRITE_DEADLINE_S) as subscription.writing:
            await response.write(text)
    finally:
        subscription.writing = None


async def _say_farewell(response: web.StreamResponse, ending: Ending) -> None:
    if ending in _FAREWELLS:
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_FAREWELL_S):
                await response.write(frames.error(*_FAREWELLS[ending]))


async def _watch_key(subscription: Subscription, caller: Caller, authenticate: Authenticate) -> None:
    """End the stream soon after its key has lost its rights."""
    while True:
        await asyncio.sleep(_CHECK_KEY_S)
        try:
            now = await authenticate()
        except ProblemError:
            subscription.end(Ending.UNAUTHENTICATED)
        except NotReadyError:
            continue
        else:
            if Scope.READ not in now.scopes or now.account_ids != caller.account_ids:
                subscription.end(Ending.UNAUTHENTICATED)
