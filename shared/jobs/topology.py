"""Exchanges and queues as data. Arguments never change under a name: a new behaviour is a new version in the name."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed

from shared.errors import InstaDistroError
from shared.jobs.options import RETRY_STEPS_MS
from shared.jobs.types import SERVICE_OF, JobPriority
from shared.outbox import EVENTS

JOBS = "jobs"
RETRY = "jobs.retry"
DEAD = "jobs.dead"
DEAD_QUEUE = "jobs.dead.v1"
PROBES = "jobs.probes"
NOW = "now"

# Every message is on disk anyway. Brokers before 3.12 would keep each in memory too, and a queue with a long backlog
# would stand still for tens of milliseconds whenever its memory is collected; later ones ignore the argument.
_ON_DISK: Mapping[str, str | int] = {"x-queue-mode": "lazy"}
_DEADLINE_S = 10.0
_REFUSAL = re.compile(
    r"inequivalent arg '(?P<arg>[^']+)' for (?P<kind>queue|exchange) '(?P<name>[^']+)'.*?"
    r"received (?:none|(?:the value )?'(?P<here>[^']*)').*?"
    r"but current is (?:none|(?:the value )?'(?P<there>[^']*)')"
)
_ADVICE = (
    "Arguments never change under a name. If another version of this system made it, run that version's workers until"
    " the queue is empty, delete it (rabbitmqctl delete_queue NAME), then run `instadistro migrate`."
)

#: Told which work queues the broker had lost.
OnMissing: TypeAlias = Callable[[list[str]], Awaitable[None]]
Declare: TypeAlias = Callable[[AbstractChannel], Awaitable[None]]

log = structlog.get_logger()


class TopologyError(InstaDistroError):
    """The broker holds queues or exchanges of ours with other arguments. Only a person can settle that."""


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
        arguments={**_ON_DISK, "x-max-priority": len(JobPriority)},
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
        arguments={**_ON_DISK, "x-message-ttl": step_ms, "x-dead-letter-exchange": JOBS},
    )
    for step_ms in RETRY_STEPS_MS
)
QUEUES: tuple[Queue, ...] = (
    *WORK_QUEUES,
    *RETRY_QUEUES,
    Queue(name=DEAD_QUEUE, exchange=DEAD, pattern="#", arguments=_ON_DISK),
)
EXCHANGES: tuple[str, ...] = (JOBS, RETRY, DEAD, PROBES, EVENTS)


async def declare_topology(connection: AbstractConnection) -> None:
    """Make every exchange, queue and binding that is not there; safe to call from anywhere, any number of times.

    Raises:
        TopologyError: some of ours are there with other arguments; the text lists every difference and says what to do.
    """
    differences = []
    channel = await connection.channel()
    try:
        for declare in (*map(_exchange, EXCHANGES), *map(_queue, QUEUES)):
            try:
                await declare(channel)
            except ChannelPreconditionFailed as error:
                differences.append(_difference(str(error)))
                channel = await connection.channel()  # the broker closes a channel with each refusal
    finally:
        await channel.close()
    if differences:
        listed = "\n".join(differences)
        raise TopologyError(f"the broker holds what this version would declare in another way:\n{listed}\n{_ADVICE}")


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


def _exchange(name: str) -> Declare:
    async def declare(channel: AbstractChannel) -> None:
        await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True, timeout=_DEADLINE_S)

    return declare


def _queue(queue: Queue) -> Declare:
    async def declare(channel: AbstractChannel) -> None:
        declared = await channel.declare_queue(
            queue.name, durable=True, arguments=dict(queue.arguments), timeout=_DEADLINE_S
        )
        await declared.bind(queue.exchange, queue.pattern, timeout=_DEADLINE_S)

    return declare


def _difference(refusal: str) -> str:
    """The broker's refusal as a line of a list; its own words where they are not the usual ones."""
    found = _REFUSAL.search(refusal)
    if found is None:
        return f"- {refusal}"
    arg, kind, name, here, there = found.group("arg", "kind", "name", "here", "there")
    return f"- {kind} {name}: {arg} is {there or 'not set'} there, {here or 'not set'} here"


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
