"""One session with the broker: a connection and a channel that live and die together.

Nothing here reconnects by itself. Whoever uses a session waits for `lost`, closes it and opens a new one, topology
included; that one path serves a restart, a wipe, a cut line and a cancelled consumer alike.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aio_pika
import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError
from aiormq.exceptions import ChannelInvalidStateError

from shared.errors import NotReadyError

_CONNECT_TIMEOUT_S = 5.0
_CLOSE_TIMEOUT_S = 2.0
# A dead peer is noticed after about three heartbeats.
_HEARTBEAT_S = 10

#: Whatever the client library raises when the session is gone or the broker refuses.
BROKER_ERRORS = (AMQPError, ChannelInvalidStateError, ConnectionError, OSError, TimeoutError)


@dataclass(frozen=True, kw_only=True)
class Session:
    """An open connection with one channel in confirm mode that raises on returned messages."""

    connection: AbstractConnection
    channel: AbstractChannel
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
        lost = asyncio.Event()
        await _watch(connection, channel, lost)
        yield Session(connection=connection, channel=channel, lost=lost)
    finally:
        with contextlib.suppress(*BROKER_ERRORS):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await connection.close()


async def _connect(urls: Sequence[str], name: str) -> AbstractConnection:
    faults = []
    for url in urls:
        try:
            return await aio_pika.connect(
                url,
                timeout=_CONNECT_TIMEOUT_S,
                heartbeat=_HEARTBEAT_S,
                client_properties={"connection_name": name},
            )
        except BROKER_ERRORS as error:
            faults.append(f"{error or type(error).__name__}")
    raise NotReadyError(f"RabbitMQ cannot be reached: {'; '.join(faults)}. Check AMQP_URL.")


async def _watch(connection: AbstractConnection, channel: AbstractChannel, lost: asyncio.Event) -> None:
    def note(*_: Any) -> None:
        lost.set()

    connection.close_callbacks.add(note)
    channel.close_callbacks.add(note)
    # The broker may cancel a consumer (a deleted queue, a timeout) while channel and connection live on; unnoticed,
    # that leaves a process that is up and deaf.
    underlay = cast(aiormq.Channel, await channel.get_underlay_channel())
    underlay.on_consumer_cancel_callbacks.add(note)
