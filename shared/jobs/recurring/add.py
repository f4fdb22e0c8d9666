"""Making jobs recur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.database import Connection
from shared.jobs.options import JobOptions
from shared.jobs.recurring.rows import write_options
from shared.jobs.repeat import RepeatRule
from shared.jobs.types import JobType

# What has the rhythm it had keeps its next due time. With a new rhythm it comes one period from now at the latest, and
# what is due already still fires.
_ADD = """
    INSERT INTO recurring_jobs AS known (name, type, user_id, account_id, payload, version, options, every_ms, cron,
                                         zone, misfire, next_due_at)
    SELECT name, type, user_id, account_id, payload::jsonb, version, options::jsonb, every_ms, cron, zone, misfire,
           next_due_at
    FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::text[], $8::bigint[],
                $9::text[], $10::text[], $11::text[], $12::timestamptz[])
         AS new (name, type, user_id, account_id, payload, version, options, every_ms, cron, zone, misfire, next_due_at)
    ON CONFLICT (name) DO UPDATE SET
        type = excluded.type, user_id = excluded.user_id, account_id = excluded.account_id,
        payload = excluded.payload, version = excluded.version, options = excluded.options,
        every_ms = excluded.every_ms, cron = excluded.cron, zone = excluded.zone, misfire = excluded.misfire,
        next_due_at = CASE
            WHEN known.next_due_at <= now()
                 OR (known.every_ms, known.cron, known.zone)
                    IS NOT DISTINCT FROM (excluded.every_ms, excluded.cron, excluded.zone)
                THEN known.next_due_at
            WHEN excluded.every_ms IS NOT NULL
                THEN least(known.next_due_at, now() + excluded.every_ms * interval '1 millisecond')
            ELSE excluded.next_due_at
        END
"""
# Locked in one order, so that two processes that start together never wait for each other in a circle.


@dataclass(frozen=True, kw_only=True)
class Recurring:
    """A job that shall come again and again."""

    name: str  # unique; adding it again changes what is there
    type: JobType
    payload: bytes  # JSON
    version: int  # of the payload
    rule: RepeatRule
    options: JobOptions  # of each firing
    user_id: UUID | None = None  # the tenant and the account it goes away with
    account_id: UUID | None = None
    first_in_ms: int | None = None  # a new job's first firing; None: after one period, or when the cron line says


async def add_recurring(tx: Connection, recurring: Sequence[Recurring]) -> None:
    """Make jobs recur, from one to many thousands at once, or change those that have their names.

    A name whose rhythm is the same keeps its due times; with another rhythm it fires one period from now at the latest.
    What is paused stays paused.

    Args:
        tx: a connection in the caller's transaction.
        recurring: the jobs; of several with one name the last counts.

    Raises:
        ValueError: a rule cannot be computed; the text says why. Make rules with `read_repeat`.
    """
    if not recurring:
        return
    now: datetime = await tx.fetchval("SELECT now()")
    by_name = {job.name: job for job in recurring}
    # One order for all writers, so that two of them never wait for each other in a circle.
    jobs = [by_name[name] for name in sorted(by_name)]
    await tx.execute(
        _ADD,
        [job.name for job in jobs],
        [job.type.value for job in jobs],
        [job.user_id for job in jobs],
        [job.account_id for job in jobs],
        [job.payload.decode() for job in jobs],
        [job.version for job in jobs],
        [write_options(job.type, job.options) for job in jobs],
        [job.rule.every_ms for job in jobs],
        [job.rule.cron for job in jobs],
        [job.rule.zone for job in jobs],
        [job.rule.misfire.value for job in jobs],
        [first_due_at(job, now) for job in jobs],
    )


def first_due_at(job: Recurring, now: datetime) -> datetime:
    """When a job that is added now fires first."""
    if job.first_in_ms is None:
        return job.rule.first_after(now)
    return now + timedelta(milliseconds=job.first_in_ms)
