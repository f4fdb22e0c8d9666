"""The one connection on which a process reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

from shared.cache.connection import OPERATION_S


class Line:
    """Takes one command at a time, and skips what the client does around each of its own: pool, retries, a task."""

    def __init__(self, redis: Redis) -> None:
        """Use the client's server and login; nothing is connected yet."""
        self._make_connection: Callable[[], Any] = redis.connection_pool.make_connection  # not typed by the client
        self._connection: AbstractConnection | None = None  # connected, and nothing under way on it
        self._connecting: asyncio.Task[None] | None = None

    async def mget(self, names: Sequence[str]) -> list[bytes | None]:
        """What Redis holds under these names.

        Raises:
            TimeoutError: there was no answer within 75 ms.
            redis.RedisError: the connection failed, or Redis refused.
        """
        async with asyncio.timeout(OPERATION_S):
            connection = await self._take()
            try:
                # Packed in C: the client's own packing takes several times as long, and each read pays for it.
                packed = hiredis.pack_command(("MGET", *names))  # type: ignore[arg-type] # its stub says a tuple of one
                await connection.send_packed_command(packed, check_health=False)
                values: list[bytes | None] = await connection.read_response()
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            self._connection = connection
            return values

    async def close(self) -> None:
        """Hang up."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        if self._connection is not None:
            # Over TLS a server that hangs would be waited for.
            await self._connection.disconnect(nowait=True)

    async def _take(self) -> AbstractConnection:
        connection, self._connection = self._connection, None
        # What can be read before anything was asked is the end of the stream.
        if connection is not None and await connection.can_read():
            await connection.disconnect(nowait=True)
            connection = None
        while connection is None:
            # Connecting may take longer than one read waits for it: it goes on, for a later one.
            await asyncio.shield(self._begin_to_connect())
            connection, self._connection = self._connection, None
        return connection

    def _begin_to_connect(self) -> asyncio.Task[None]:
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(_see_error)
        return self._connecting

    async def _connect(self) -> None:
        connection = self._make_connection()
        await connection.connect()
        connection.socket_timeout = None  # `mget` has a deadline, and a second one costs time
        self._connection = connection


def _see_error(connecting: asyncio.Task[None]) -> None:
    if not connecting.cancelled():
        connecting.exception()  # told to whoever still waits
