"""Seeing that the broker blocks a connection: short of memory or disk, it reads nothing more from whoever publishes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aio_pika.abc import AbstractConnection, UnderlayConnection
from prometheus_client import Gauge

from shared import metrics
from shared.errors import NotReadyError

# The client library tells nobody; it can only be asked. That costs no frame and no system call.
_LOOK_EVERY_S = 0.5

log = structlog.get_logger()


@asynccontextmanager
async def watch_blocked(connection: AbstractConnection, *, role: str) -> AsyncIterator[None]:
    """Keep `instadistro_broker_blocked` true to life until the context ends, and log each change once.

    A connection is blocked at its first publish while the broker has an alarm. Then nothing on it is read any more,
    other calls and acknowledgements included; one that never publishes goes on.

    Args:
        connection: an open one.
        role: its name, a label of the metric.

    Raises:
        NotReadyError: the connection is closed already. Open another one.
    """
    gauge = metrics.broker_blocked.labels(role)
    gauge.set(0)
    watching = asyncio.create_task(_watch(_transport(connection), gauge, role))
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        gauge.set(0)


async def is_blocked(connection: AbstractConnection) -> bool:
    """Whether the broker has said that it reads nothing from this connection for now.

    Raises:
        NotReadyError: the connection is closed already. Open another one.
    """
    return await _is_blocked(_transport(connection))


async def _watch(transport: UnderlayConnection, gauge: Gauge, role: str) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        if not await _is_blocked(transport):
            continue
        gauge.set(1)
        log.warning("broker.blocked", connection=role)
        began = loop.time()
        await transport.ready()
        gauge.set(0)
        log.info("broker.unblocked", connection=role, after_s=round(loop.time() - began, 1))


async def _is_blocked(transport: UnderlayConnection) -> bool:
    try:
        async with asyncio.timeout(0):  # lets pass what has nothing to wait for
            await transport.ready()
    except TimeoutError:
        return True
    return False


def _transport(connection: AbstractConnection) -> UnderlayConnection:
    if connection.transport is None:
        raise NotReadyError("the connection with RabbitMQ is closed")
    return connection.transport
