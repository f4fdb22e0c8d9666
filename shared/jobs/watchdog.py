"""Noticing a consumer that is up and deaf: messages wait, slots are free, and nothing is delivered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity

from shared.errors import InstaDistroError

_CALL_DEADLINE_S = 5.0

log = structlog.get_logger()


class DeafConsumerError(InstaDistroError):
    """The broker delivers nothing although jobs wait, and new sessions did not help. Restart the process."""


async def until_deaf(
    connection: AbstractConnection, queue: str, *, deliveries: Callable[[], int | None], every_s: float
) -> str:
    """Return, with the reason, once the consumer on this connection is deaf.

    Args:
        connection: the consumer's own.
        queue: its queue.
        deliveries: how many arrived so far; None while all slots are taken.
        every_s: how often to look, in seconds.

    Raises:
        one of BROKER_ERRORS: the broker does not answer; end the session.
    """
    suspicious = False
    while True:
        before = deliveries()
        await asyncio.sleep(every_s)
        if before is None or deliveries() != before:
            suspicious = False
            continue
        waiting, consumers = await _ask(connection, queue)
        if consumers == 0:
            return "the broker knows of no consumer"
        if waiting == 0 or deliveries() != before:
            suspicious = False
        elif suspicious:
            return f"{waiting} jobs wait and none is delivered"
        else:
            suspicious = True


async def _ask(connection: AbstractConnection, queue: str) -> tuple[int, int]:
    """Messages that wait, and consumers."""
    async with asyncio.timeout(_CALL_DEADLINE_S):
        channel = await connection.channel()
        try:
            declared = (await channel.declare_queue(queue, passive=True)).declaration_result
        except ChannelNotFoundEntity:
            return 0, 0
        finally:
            await channel.close()
    return declared.message_count or 0, declared.consumer_count or 0
