"""The one place where an outcome becomes an ack, a retry or a dead letter."""

from __future__ import annotations

from datetime import timedelta

from aio_pika.abc import AbstractIncomingMessage

from shared.database import Pool
from shared.jobs import topology
from shared.jobs.envelope import Job, to_outbox
from shared.jobs.options import covering_step_ms
from shared.jobs.outcomes import Again, Dead, Done, Outcome
from shared.jobs.sender import Sender
from shared.outbox import replace


async def settle(
    message: AbstractIncomingMessage, job: Job | None, outcome: Outcome, *, sender: Sender, pool: Pool
) -> None:
    """Settle a delivery. What must follow is confirmed first, then the delivery is acknowledged.

    Args:
        message: the delivery.
        job: what it was read as; None if it could not be read.
        outcome: what the handler said.
        sender: publishes retries and dead letters, on a connection of its own.
        pool: takes waits that are too long for the broker's ladder into the outbox.

    Raises:
        NotSentError: the follow-up was not confirmed. Leave the delivery unacknowledged: it comes again.
    """
    match outcome:
        case Done():
            pass
        case Again() if job is not None:
            await _again(job, outcome, sender, pool)
        case Dead(reason=reason, error=error):
            await _bury(message, job, reason, error, sender)
        case _:
            raise ValueError("a delivery that could not be read can only be parked")
    await message.ack()


async def _again(job: Job, outcome: Again, sender: Sender, pool: Pool) -> None:
    attempt = job.attempt + (1 if outcome.failed else 0)
    headers = {**job.headers, "x-attempt": str(attempt)}
    step_ms = covering_step_ms(outcome.delay_ms)
    if step_ms is not None:
        await sender.publish(
            exchange=topology.RETRY,
            routing_key=job.routing_key(step_ms),
            body=job.payload,
            headers=headers,
            priority=job.options.priority,
        )
        return
    async with pool.acquire() as connection, connection.transaction():
        now = await connection.fetchval("SELECT now()")
        due_at = now + timedelta(milliseconds=outcome.delay_ms)
        await replace(connection, [to_outbox(job, due_at=due_at, attempt=attempt)])


async def _bury(message: AbstractIncomingMessage, job: Job | None, reason: str, error: str, sender: Sender) -> None:
    headers = dict(job.headers) if job is not None else {}
    headers |= {
        "x-attempt": str(job.attempt if job is not None else 1),
        "x-dead-reason": reason,
        "x-dead-error": error[:2000],
        "x-routing-key": message.routing_key or "",
    }
    await sender.publish(
        exchange=topology.DEAD,
        routing_key=str(job.type) if job is not None else "unreadable",
        body=message.body,
        headers=headers,
        priority=job.options.priority if job is not None else None,
    )
