"""Recurring jobs: fires what is due, and brings what must recur to the rhythm of the settings."""

from __future__ import annotations

import msgspec

from shared import metrics
from shared.database import Pool
from shared.jobs import (
    CleanUp,
    Fired,
    JobType,
    Recurring,
    RepeatRule,
    add_recurring,
    fire_due,
    get_job_options_by_type,
)

_BATCH = 500
# Due and yet not taken: another scheduler is at it, or it came due a moment ago.
_BREATH_S = 0.02

metrics.begin_at_zero(metrics.recurring_broken_total, *JobType)


async def ensure_cleanup(pool: Pool, *, every_s: float) -> None:
    """Make sure that `cleanup:old_jobs` recurs, at the rhythm of the settings and from now on."""
    cleanup = Recurring(
        name=JobType.CLEANUP_OLD_JOBS.value,
        type=JobType.CLEANUP_OLD_JOBS,
        payload=msgspec.json.encode(CleanUp()),
        version=CleanUp.VERSION,
        rule=RepeatRule(every_ms=round(every_s * 1000)),
        options=get_job_options_by_type(JobType.CLEANUP_OLD_JOBS),
        first_in_ms=0,
    )
    async with pool.acquire() as connection, connection.transaction():
        await add_recurring(connection, [cleanup])


async def fire_once(pool: Pool) -> float | None:
    """Fire what is due.

    Returns:
        Seconds until the next due time, 0 after a full batch; None if nothing recurs.
    """
    async with pool.acquire() as connection, connection.transaction():
        fired = await fire_due(connection, limit=_BATCH)
    _count(fired)
    if fired.claimed == _BATCH:
        return 0.0
    return None if fired.next_due_s is None else max(fired.next_due_s, _BREATH_S)


def _count(fired: Fired) -> None:
    for job_type, count in fired.fired.items():
        metrics.recurring_fired_total.labels(type=job_type).inc(count)
    for (job_type, policy), count in fired.missed.items():
        metrics.recurring_missed_total.labels(type=job_type, policy=policy).inc(count)
    for job_type, count in fired.broken.items():
        metrics.recurring_broken_total.labels(type=job_type).inc(count)
