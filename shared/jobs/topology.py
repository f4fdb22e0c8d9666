"""Exchanges and queues as data. Arguments never change under a name: a new behaviour is a new version in the name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import aio_pika
import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed

from shared.errors import InstaDistroError
from shared.jobs.options import RETRY_STEPS_MS
from shared.jobs.types import SERVICE_OF, JobPriority
from shared.outbox import EVENTS

JOBS = "jobs"
RETRY = "jobs.retry"
DEAD = "jobs.dead"
DEAD_QUEUE = "jobs.dead.v1"
NOW = "now"

_DEADLINE_S = 10.0

#: Told which work queues the broker had lost.
OnMissing: TypeAlias = Callable[[list[str]], Awaitable[None]]

log = structlog.get_logger()


class TopologyError(InstaDistroError):
    """The broker holds a queue or exchange of ours with other arguments. Delete it while empty, then start again."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """One durable queue and what is bound to it."""

    name: str
    exchange: str
    pattern: str
    arguments: Mapping[str, str | int] = field(default_factory=dict)


def work_queue(service: str) -> str:
    """The name of a service's queue."""
    return f"jobs.{service}.v1"


WORK_QUEUES: tuple[Queue, ...] = tuple(
    Queue(
        name=work_queue(service),
        exchange=JOBS,
        # Three words of fixed depth: the step a message came by, the service, the type.
        pattern=f"*.{service}.#",
        arguments={"x-max-priority": len(JobPriority)},
    )
    for service in sorted(set(SERVICE_OF.values()))
)
RETRY_QUEUES: tuple[Queue, ...] = tuple(
    Queue(
        name=f"jobs.retry.v1.{step_ms}",
        exchange=RETRY,
        pattern=f"{step_ms}.#",
        # One TTL for the whole queue: RabbitMQ expires from the head only. No dead-letter routing key, so that the
        # message keeps its own and finds its service again.
        arguments={"x-message-ttl": step_ms, "x-dead-letter-exchange": JOBS},
    )
    for step_ms in RETRY_STEPS_MS
)
QUEUES: tuple[Queue, ...] = (*WORK_QUEUES, *RETRY_QUEUES, Queue(name=DEAD_QUEUE, exchange=DEAD, pattern="#"))
EXCHANGES: tuple[str, ...] = (JOBS, RETRY, DEAD, EVENTS)


async def declare_topology(connection: AbstractConnection) -> None:
    """Make every exchange, queue and binding that is not there; safe to call from anywhere, any number of times.

    Raises:
        TopologyError: something of ours has other arguments at the broker; the text says what.
    """
    channel = await connection.channel()
    try:
        for name in EXCHANGES:
            await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True, timeout=_DEADLINE_S)
        for queue in QUEUES:
            await _declare_queue(channel, queue)
    except ChannelPreconditionFailed as error:
        raise TopologyError(f"the broker refuses our topology: {error}. Delete it there, then start again.") from error
    finally:
        await channel.close()


async def restore_topology(connection: AbstractConnection, *, on_missing: OnMissing | None) -> None:
    """Declare it, and tell first what was not there: the deployment declares, so that means an emptied broker.

    Told first, so that whatever fails in between, the sign is still there for the next who looks.

    Args:
        connection: an open one.
        on_missing: told the names of missing work queues.

    Raises:
        TopologyError: as `declare_topology`.
    """
    missing = [queue.name for queue in WORK_QUEUES if not await _exists(connection, queue.name)]
    if missing:
        log.warning("broker.queues_missing", queues=missing)
        if on_missing is not None:
            await on_missing(missing)
    await declare_topology(connection)


async def _declare_queue(channel: aio_pika.abc.AbstractChannel, queue: Queue) -> None:
    declared = await channel.declare_queue(
        queue.name, durable=True, arguments=dict(queue.arguments), timeout=_DEADLINE_S
    )
    await declared.bind(queue.exchange, queue.pattern, timeout=_DEADLINE_S)


async def _exists(connection: AbstractConnection, name: str) -> bool:
    # A passive declare that finds nothing closes its channel, so each question gets one of its own.
    channel = await connection.channel()
    try:
        await channel.declare_queue(name, passive=True, timeout=_DEADLINE_S)
    except ChannelNotFoundEntity:
        return False
    finally:
        await channel.close()
    return True
