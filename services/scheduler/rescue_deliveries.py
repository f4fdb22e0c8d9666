"""Deliveries whose job is long overdue get another one: the broker may have lost it."""

from __future__ import annotations

import structlog

from shared.database import Pool
from shared.jobs import to_outbox
from shared.outbox import append
from shared.webhooks import delivery_job

_BATCH = 500
log = structlog.get_logger()

# A job that is there all the same finds the delivery done, or makes one try more. By webhook_deliveries_due.
_TAKE = """
    WITH lost AS (
        SELECT id FROM webhook_deliveries
        WHERE state = 'pending' AND next_attempt_at < now() - interval '15 minutes'
        ORDER BY next_attempt_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE webhook_deliveries SET next_attempt_at = now()
    FROM lost
    WHERE webhook_deliveries.id = lost.id
    RETURNING webhook_deliveries.id, webhook_deliveries.user_id
"""


async def rescue_deliveries_once(pool: Pool) -> float | None:
    """One sweep. Returns 0 if there may be more, None for the usual rhythm."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_TAKE, _BATCH)
        jobs = [to_outbox(delivery_job(row["id"], user_id=row["user_id"])) for row in rows]
        rescued = await append(connection, jobs)
    if rescued:
        log.warning("deliveries.rescued", count=rescued)
    return 0.0 if len(rows) == _BATCH else None
