"""Announcements of events, to this process: they wake streams, and renew what is cached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

import msgspec
from aio_pika import ExchangeType
from aiormq.abc import DeliveredMessage

from services.api.events.feed import EventFeed
from services.api.events.renew_cache import CacheRenewer
from shared.cache import CacheService
from shared.jobs import Session, keep_session, until_any
from shared.outbox import EVENTS

_DEADLINE_S = 5.0
_WAITING_MAX = 10_000  # beyond that the oldest announcements are dropped: streams read the table


class _Announcement(msgspec.Struct):
    user_id: UUID
    type: str
    subject: UUID


@asynccontextmanager
async def listen_to_events(urls: Sequence[str], *, feed: EventFeed, cache: CacheService) -> AsyncIterator[None]:
    """Listen while the context lasts. While the broker is away streams look by themselves, once a second."""
    stop = asyncio.Event()
    renewer = CacheRenewer(cache)
    use = partial(_listen, stop=stop, feed=feed, renewer=renewer)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_session(urls, name="api-events", stop=stop, use=use))
        tasks.create_task(renewer.run(stop))
        try:
            yield
        finally:
            stop.set()


async def _listen(session: Session, *, stop: asyncio.Event, feed: EventFeed, renewer: CacheRenewer) -> None:
    async def take(message: DeliveredMessage) -> None:
        try:
            told = msgspec.json.decode(message.body, type=_Announcement)
        except msgspec.MsgspecError:
            return  # none of ours; whatever it was, the table has it
        feed.wake(told.user_id)
        renewer.note(told.type, user_id=told.user_id, subject=told.subject)

    queue = await session.channel.declare_queue(
        exclusive=True,
        auto_delete=True,
        arguments={"x-max-length": _WAITING_MAX, "x-overflow": "drop-head"},
        timeout=_DEADLINE_S,
    )
    exchange = await session.channel.declare_exchange(EVENTS, ExchangeType.TOPIC, durable=True, timeout=_DEADLINE_S)
    await queue.bind(exchange, "#", timeout=_DEADLINE_S)
    await session.underlay.basic_consume(queue.name, take, no_ack=True, timeout=_DEADLINE_S)
    feed.announced = True
    feed.wake_all()  # what was announced to nobody
    try:
        await until_any(stop, session.lost)
    finally:
        feed.announced = False
