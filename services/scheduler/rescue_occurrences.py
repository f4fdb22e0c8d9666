"""Occurrences whose publications are long overdue get another job: the broker may have lost it."""

from __future__ import annotations

import structlog

from shared.database import Pool
from shared.outbox import append
from shared.schedules import occurrence_job

_BATCH = 500
log = structlog.get_logger()

# A minute after it was made, then after two, four and so on: a queue that is long is not made longer and longer. A job
# that comes all the same finds nothing to do. By schedule_occurrences_pending.
_TAKE = """
    WITH lost AS (
        SELECT id FROM schedule_occurrences
        WHERE state = 'pending' AND asked_at < now() - greatest(interval '60 seconds', asked_at - created_at)
          AND asked_at < now() - interval '60 seconds'
        ORDER BY asked_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE schedule_occurrences SET asked_at = now()
    FROM lost
    WHERE schedule_occurrences.id = lost.id
    RETURNING schedule_occurrences.id, schedule_occurrences.user_id
"""


async def rescue_occurrences_once(pool: Pool) -> float | None:
    """One sweep. Returns 0 if there may be more, None for the usual rhythm."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_TAKE, _BATCH)
        rescued = await append(connection, [occurrence_job(row["id"], user_id=row["user_id"]) for row in rows])
    if rescued:
        log.warning("occurrences.rescued", count=rescued)
    return 0.0 if len(rows) == _BATCH else None
