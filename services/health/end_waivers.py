"""The sweep over waivers that are over: caution is in force again by itself, and here it is told."""

from __future__ import annotations

from dataclasses import dataclass

from shared.accounts import Caution, caution_event
from shared.cache import CacheService
from shared.database import Connection, Pool, Row
from shared.outbox import record_events

_BATCH = 200
# Claims read the clock and need no sweep. Served by the index accounts_waived.
_END = """
    WITH over AS (
        SELECT id
        FROM accounts
        WHERE caution_waived_until <= now()
        ORDER BY caution_waived_until
        LIMIT $1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE accounts
    SET caution_waived_until = NULL
    FROM over
    WHERE accounts.id = over.id
    RETURNING accounts.user_id, accounts.id, accounts.caution,
              (SELECT band FROM health_scores WHERE account_id = accounts.id) AS band
"""


@dataclass(frozen=True, kw_only=True)
class Ward:
    """What the sweep needs, built once in service.py."""

    pool: Pool
    cache: CacheService


async def end_waivers_once(ward: Ward) -> float | None:
    """One sweep: each waiver that is over is told once. Returns 0 if there may be more, None for the usual rhythm."""
    async with ward.pool.acquire() as connection, connection.transaction():
        rows = await _end(connection)
    for row in rows:
        await ward.cache.invalidate_account(row["id"], user_id=row["user_id"])
    return 0.0 if len(rows) == _BATCH else None


async def _end(tx: Connection) -> list[Row]:
    rows = await tx.fetch(_END, _BATCH)
    events = [
        caution_event(
            row["id"], user_id=row["user_id"], caution=Caution(row["caution"]), band=row["band"], waived_until=None
        )
        for row in rows
    ]
    await record_events(tx, events)
    return rows
