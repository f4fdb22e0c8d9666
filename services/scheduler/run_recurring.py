"""Recurring jobs: each due time fires once, however many schedulers run, and the rhythm does not drift."""

from __future__ import annotations

import msgspec

from shared import metrics
from shared.database import Connection, Pool, Row
from shared.jobs import CheckAccount, CleanUp, JobType, Payload, new_job, to_outbox
from shared.outbox import Message, append

_BATCH = 500
# Due and yet not taken: another scheduler is at it.
_BREATH_S = 0.02
_PAYLOADS: dict[JobType, type[Payload]] = {
    JobType.HEALTH_CHECK: CheckAccount,
    JobType.CLEANUP_OLD_JOBS: CleanUp,
}

# The next due time is counted from the one before, not from now; firings that were slept through are skipped.
_FIRE = """
    WITH due AS (
        SELECT name FROM recurring_jobs
        WHERE next_due_at <= now()
        ORDER BY next_due_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE recurring_jobs AS r SET
        next_due_at = next_due_at + every_ms * interval '1 millisecond'
                      * (1 + floor(extract(epoch FROM now() - next_due_at) * 1000 / every_ms))
    FROM due WHERE r.name = due.name
    RETURNING r.name, r.type, r.payload
"""
_NEXT_DUE = "SELECT extract(epoch FROM min(next_due_at) - now())::float8 FROM recurring_jobs"
_ENSURE = """
    INSERT INTO recurring_jobs (name, type, payload, every_ms, next_due_at)
    VALUES ($1, $2, $3::jsonb, $4, now())
    ON CONFLICT (name) DO UPDATE SET every_ms = excluded.every_ms,
        next_due_at = least(recurring_jobs.next_due_at, now() + excluded.every_ms * interval '1 millisecond')
"""
_SET_RHYTHM = """
    UPDATE recurring_jobs SET
        every_ms = $2,
        next_due_at = least(next_due_at, now() + random() * $2::bigint * interval '1 millisecond')
    WHERE type = $1 AND every_ms <> $2
"""


async def ensure_health_checks(pool: Pool, *, every_s: float) -> None:
    """Bring the checks of all accounts to the rhythm of the settings; those that wait too long come sooner."""
    await pool.execute(_SET_RHYTHM, JobType.HEALTH_CHECK.value, round(every_s * 1000))


async def ensure_cleanup(pool: Pool, *, every_s: float) -> None:
    """Make sure that `cleanup:old_jobs` recurs, at the rhythm of the settings."""
    payload = msgspec.json.encode(CleanUp()).decode()
    await pool.execute(_ENSURE, "cleanup:old_jobs", JobType.CLEANUP_OLD_JOBS.value, payload, round(every_s * 1000))


async def fire_once(pool: Pool) -> float | None:
    """Fire what is due.

    Returns:
        Seconds until the next due time, 0 after a full batch; None if nothing recurs.
    """
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_FIRE, _BATCH)
        await append(connection, [_message(row) for row in rows])
        next_due_s = await _next_due(connection)
    for row in rows:
        metrics.recurring_fired_total.labels(type=row["type"]).inc()
    return 0.0 if len(rows) == _BATCH else next_due_s


def _message(row: Row) -> Message:
    job_type = JobType(row["type"])
    payload = msgspec.json.decode(row["payload"], type=_PAYLOADS[job_type])
    # The name is the subject: while one firing waits unsent, the next adds nothing.
    return to_outbox(new_job(job_type, payload, subject=row["name"]))


async def _next_due(connection: Connection) -> float | None:
    value: float | None = await connection.fetchval(_NEXT_DUE)
    return None if value is None else max(value, _BREATH_S)
