"""Recurring jobs that tests make, move in time and fire."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from shared.database import Pool, Row
from shared.jobs import (
    Fired,
    JobType,
    Recurring,
    RepeatRule,
    add_recurring,
    fire_due,
    get_job_options_by_type,
)

HOUR_MS = 3_600_000
HOURLY = RepeatRule(every_ms=HOUR_MS)


def recurring(name: str, **changes: Any) -> Recurring:
    """An hourly job; whatever is named is another way."""
    usual: dict[str, Any] = {
        "type": JobType.CLEANUP_OLD_JOBS,
        "payload": b"{}",
        "version": 1,
        "rule": HOURLY,
        "options": get_job_options_by_type(JobType.CLEANUP_OLD_JOBS),
    }
    return Recurring(name=name, **(usual | changes))


async def add(pool: Pool, *jobs: Recurring) -> None:
    """Add them in a transaction of their own."""
    async with pool.acquire() as connection, connection.transaction():
        await add_recurring(connection, jobs)


async def put_due(pool: Pool, *, ago: timedelta, name: str | None = None) -> None:
    """Let a job, or all, have been due so long ago."""
    await pool.execute(
        "UPDATE recurring_jobs SET next_due_at = now() - $1::interval WHERE $2::text IS NULL OR name = $2", ago, name
    )


async def fire(pool: Pool, *, limit: int = 500) -> Fired:
    """One sweep in a transaction of its own."""
    async with pool.acquire() as connection, connection.transaction():
        return await fire_due(connection, limit=limit)


async def row_of(pool: Pool, name: str) -> Row:
    """The job's row, and `in_s`: the seconds to its next due time."""
    row = await pool.fetchrow(
        "SELECT *, extract(epoch FROM next_due_at - now())::float8 AS in_s FROM recurring_jobs WHERE name = $1", name
    )
    assert row is not None
    return row


async def firings(pool: Pool) -> dict[str, dict[str, str]]:
    """What waits in the outbox: subject and headers."""
    rows = await pool.fetch("SELECT subject, headers FROM outbox ORDER BY id")
    return {row["subject"]: json.loads(row["headers"]) for row in rows}
