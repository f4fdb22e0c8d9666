"""`/v1/events`: what happens, as it happens."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from services.api.call import Call
from services.api.events import frames
from services.api.events.contract import EventQuery
from services.api.events.send_stream import send_stream
from services.api.events.subscription import Subscription
from services.api.http import invalid
from services.api.routing import get
from shared.outbox import EVENT_PATTERNS, Position

_LAST_EVENT_ID = "Last-Event-ID"


async def stream_events(call: Call[EventQuery, None]) -> web.StreamResponse:
    """Follow what happens, as server-sent events."""
    feed = call.deps.events
    patterns, last = _read_patterns(call.query.types), _read_position(call)
    now = await feed.now()
    is_lost = last is not None and not last.is_kept
    # What lies ahead of now was told by another cluster, before a restore.
    begin = now if last is None or is_lost else min(last, now)
    first = frames.reset(now) if is_lost else frames.opening(begin)
    subscription = Subscription(patterns=patterns, account_ids=call.caller.account_ids, position=begin)
    async with feed.subscribed(subscription, user_id=call.user_id, now=now):
        return await send_stream(
            call.request,
            first,
            feed=feed,
            subscription=subscription,
            caller=call.caller,
            authenticate=partial(call.deps.guards.authenticator.authenticate, call.request),
        )


def _read_patterns(text: str | None) -> frozenset[str]:
    if text is None:
        return frozenset()
    patterns = frozenset(part.strip() for part in text.split(","))
    if unknown := sorted(patterns - EVENT_PATTERNS):
        message = f"There is no event {unknown[0]!r}. Name types such as publication.failed, or publication.* for all."
        raise invalid("invalid_value", message, path="types")
    return patterns


def _read_position(call: Call[EventQuery, None]) -> Position | None:
    header = call.request.headers.get(_LAST_EVENT_ID)
    text = header if header is not None else call.query.last_event_id
    if not text:
        return None
    position = Position.parse(text)
    if position is None:
        path = "last_event_id" if header is None else _LAST_EVENT_ID
        raise invalid(
            "invalid_value", "This is no id of an event of this stream. Leave it out to begin now.", path=path
        )
    return position


ROUTES = [get("/v1/events", stream_events, limited=True, produces="text/event-stream", reads=("Last-Event-ID",))]
