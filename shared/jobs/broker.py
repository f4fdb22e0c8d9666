"""One session with the broker: a connection and a channel that live and die together.

Nothing here reconnects by itself. Whoever uses a session waits for `lost`, closes it and opens a new one, topology
included; that one path serves a restart, a wipe, a cut line and a cancelled consumer alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aio_pika
import aiormq
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError
from aiormq.exceptions import ChannelInvalidStateError

from shared import metrics
from shared.errors import InstaDistroError, NotReadyError
from shared.jobs.blocked import watch_blocked

CONNECT_TIMEOUT_S = 5.0
_CLOSE_TIMEOUT_S = 2.0
# A dead peer is noticed after about three heartbeats.
_HEARTBEAT_S = 10
_RECONNECT_FIRST_S = 0.2
_RECONNECT_MOST_S = 5.0

log = structlog.get_logger()

#: Whatever the client library raises when the session is gone or the broker refuses.
BROKER_ERRORS = (AMQPError, ChannelInvalidStateError, ConnectionError, OSError, TimeoutError)


@dataclass(frozen=True, kw_only=True)
class Session:
    """An open connection with one channel in confirm mode that raises on returned messages."""

    connection: AbstractConnection
    channel: AbstractChannel
    underlay: aiormq.Channel  # the same channel without the objects around each message
    lost: asyncio.Event  # set once the session is of no more use


@asynccontextmanager
async def open_session(urls: Sequence[str], *, name: str) -> AsyncIterator[Session]:
    """Open a session with the first broker that answers.

    Args:
        urls: `amqp://...`, tried in this order.
        name: shown in the broker's list of connections.

    Raises:
        NotReadyError: none answered. Try again later.
    """
    connection = await _connect(urls, name)
    try:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        underlay = cast(aiormq.Channel, await channel.get_underlay_channel())
        lost = asyncio.Event()
        _watch(connection, channel, underlay, lost)
        async with watch_blocked(connection, role=name):
            yield Session(connection=connection, channel=channel, underlay=underlay, lost=lost)
    finally:
        with contextlib.suppress(*BROKER_ERRORS):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await connection.close()


async def keep_session(
    urls: Sequence[str], *, name: str, stop: asyncio.Event, use: Callable[[Session], Awaitable[None]]
) -> None:
    """Use one session after another until told to stop.

    Args:
        urls: brokers, tried in turn.
        name: of the connection.
        stop: ends it once `use` has returned.
        use: works with a session until that is lost or the stop comes. What it raises of the broker ends the session.
    """
    failures = 0
    while not stop.is_set():
        try:
            began = asyncio.get_running_loop().time()
            async with open_session(urls, name=name) as session:
                await use(session)
            # One that is lost as soon as it is made is no better than none.
            failures = 0 if asyncio.get_running_loop().time() - began > _RECONNECT_MOST_S else failures + 1
        except (*BROKER_ERRORS, NotReadyError) as error:
            failures += 1
            log.warning("broker.lost", connection=name, error=str(error) or type(error).__name__)
        except InstaDistroError:
            raise  # a difference that only a person can settle
        except Exception:
            # A database that is away for a moment, a defect: no reason to end the service.
            failures += 1
            log.exception("broker.session_failed", connection=name)
        if not stop.is_set():
            metrics.broker_reconnects_total.labels(role=name).inc()
            ceiling = min(_RECONNECT_FIRST_S * 2.0**failures, _RECONNECT_MOST_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), random.uniform(ceiling / 2, ceiling))  # noqa: S311 - jitter


async def until_any(*events: asyncio.Event, tasks: Sequence[asyncio.Task[None]] = ()) -> None:
    """Return once one of the events is set or one of the tasks has ended."""
    waiters = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait([*waiters, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()


async def _connect(urls: Sequence[str], name: str) -> AbstractConnection:
    faults = []
    for url in urls:
        try:
            return await aio_pika.connect(
                url,
                timeout=CONNECT_TIMEOUT_S,
                heartbeat=_HEARTBEAT_S,
                client_properties={"connection_name": name},
            )
        except BROKER_ERRORS as error:
            faults.append(f"{error or type(error).__name__}")
    raise NotReadyError(f"RabbitMQ cannot be reached: {'; '.join(faults)}. Check AMQP_URL.")


def _watch(
    connection: AbstractConnection,
    channel: AbstractChannel,
    underlay: aiormq.Channel,
    lost: asyncio.Event,
) -> None:
    def note(*_: Any) -> None:
        lost.set()

    connection.close_callbacks.add(note)
    channel.close_callbacks.add(note)
    # The broker may cancel a consumer (a deleted queue, a timeout) while channel and connection live on; unnoticed,
    # that leaves a process that is up and deaf.
    underlay.on_consumer_cancel_callbacks.add(note)
