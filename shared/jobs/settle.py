"""The one place where an outcome becomes an ack, a retry or a dead letter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg

from shared import metrics
from shared.database import Pool
from shared.jobs import topology
from shared.jobs.delivery import Delivery
from shared.jobs.envelope import Job, now_ms, to_outbox
from shared.jobs.follow_up import dead_headers, next_run, waits_in_outbox
from shared.jobs.options import RETRY_STEPS_MS, covering_step_ms
from shared.jobs.outcomes import ENGINE_REASONS, Again, Dead, Done, Expired, Outcome
from shared.jobs.outlet import Parcel
from shared.jobs.sender import Sender
from shared.outbox import put_back

# Of a message that is none of ours: enough to know it by, and never more than a frame holds.
_MOST_FOREIGN = 40
_MOST_FOREIGN_CHARS = 500
_BROKERS_OWN = frozenset({"x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason"})


async def settle(delivery: Delivery, job: Job | None, outcome: Outcome, *, sender: Sender, pool: Pool) -> None:
    """Settle a delivery. What must follow is confirmed first, then the delivery is acknowledged.

    Args:
        delivery: what arrived.
        job: what it was read as; None if it could not be read.
        outcome: what came of it.
        sender: publishes retries and dead letters, on a connection of its own.
        pool: takes waits for which the broker has no queue into the outbox.

    Raises:
        NotSentError: the follow-up was not confirmed. Give the delivery back: it must come again.
    """
    if not delivery.acks.alive:
        return  # it comes again by itself; whatever followed from it now would be there twice
    match outcome:
        case Done() | Expired():
            pass
        case Again() if job is not None:
            await _again(job, outcome, sender, pool)
        case Dead(reason=reason):
            await sender.publish(_dead_letter(delivery, job, outcome))
            metrics.dead_letters_total.labels(reason if reason in ENGINE_REASONS else "permanent").inc()
        case _:
            raise ValueError("a delivery that could not be read can only be parked")
    delivery.ack()


async def hand_back(delivery: Delivery, job: Job, *, sender: Sender) -> None:
    """Send an unfinished job to its queue anew: it has not failed, and being redelivered says nothing against it.

    Raises:
        NotSentError: give the delivery itself back instead.
    """
    await sender.publish(_parcel(job, topology.JOBS, topology.NOW))
    delivery.ack()


async def _again(job: Job, outcome: Again, sender: Sender, pool: Pool) -> None:
    job = next_run(job, outcome, at=datetime.now(UTC))
    if waits_in_outbox(outcome.delay_ms):
        await _wait_in_outbox(job, outcome.delay_ms, sender, pool)
    elif outcome.delay_ms > 0:
        await _climb(job, outcome.delay_ms, sender)
    else:
        await sender.publish(_parcel(job, topology.JOBS, topology.NOW))
        metrics.job_retries_total.labels("now").inc()


async def _climb(job: Job, step_ms: int, sender: Sender) -> None:
    await sender.publish(_parcel(job, topology.RETRY, step_ms, due_ms=now_ms() + step_ms))
    metrics.job_retries_total.labels(str(step_ms)).inc()


async def _wait_in_outbox(job: Job, delay_ms: int, sender: Sender, pool: Pool) -> None:
    """Where any wait is exact, and can be listed and withdrawn."""
    try:
        async with pool.acquire() as connection, connection.transaction():
            await put_back(connection, [to_outbox(job, due_in_ms=delay_ms)])
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        # Without the database a wait that is a little too long, or cut at the top of the ladder, is the better one.
        await _climb(job, covering_step_ms(delay_ms) or RETRY_STEPS_MS[-1], sender)
    else:
        metrics.job_retries_total.labels("outbox").inc()


def _parcel(job: Job, exchange: str, step: int | str, *, due_ms: int | None = None) -> Parcel:
    return Parcel(
        exchange=exchange,
        routing_key=job.routing_key(step),
        body=job.payload,
        headers={**job.headers, "x-due": str(due_ms or now_ms())},
        priority=job.options.priority,
    )


def _dead_letter(delivery: Delivery, job: Job | None, dead: Dead) -> Parcel:
    headers = dead_headers(job, dead, routing_key=delivery.routing_key, at=datetime.now(UTC))
    if job is None:
        # Whoever finds out where it came from needs all that stood on it.
        headers = {**_as_text(delivery.headers), **headers}
        body, key, priority = delivery.message.body, "unreadable", None
    else:
        body, key, priority = job.payload, str(job.type), job.options.priority
    return Parcel(exchange=topology.DEAD, routing_key=key, body=body, headers=headers, priority=priority)


def _as_text(headers: Mapping[str, Any]) -> dict[str, str]:
    foreign = list(headers.items())[:_MOST_FOREIGN]
    return {name: str(value)[:_MOST_FOREIGN_CHARS] for name, value in foreign if name not in _BROKERS_OWN}
