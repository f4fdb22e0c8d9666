"""Operations whose job went lost with a broker get another one: the row is the truth, the message a hint."""

from __future__ import annotations

import structlog

from shared.database import Pool
from shared.jobs import ImportAccounts, JobType, new_job, to_outbox
from shared.outbox import append

log = structlog.get_logger()
_BATCH = 100

# Longer than the longest wait between two attempts: whoever is at work has told of it since.
_STALLED = """
    UPDATE operations
    SET updated_at = now()
    WHERE id IN (
        SELECT id
        FROM operations
        WHERE state IN ('pending', 'running') AND updated_at < now() - interval '3 minutes'
        ORDER BY updated_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id, user_id
"""


async def resume_operations_once(pool: Pool) -> None:
    """Send the job of each operation that nobody was heard of for three minutes; done twice, it does nothing."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_STALLED, _BATCH)
        jobs = [
            new_job(
                JobType.IMPORT_ACCOUNTS,
                ImportAccounts(user_id=row["user_id"], operation_id=row["id"]),
                subject=str(row["id"]),
            )
            for row in rows
        ]
        await append(connection, [to_outbox(job) for job in jobs])
    if rows:
        log.warning("operations.resumed", count=len(rows))
