"""Releasing for many accounts at once: only those for which something is held are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.database import Connection
from shared.publications.release import release_held

# Locked here already, all in the order in which everybody locks several: account by account, they would be locked in
# another one, and block each other with whoever stops or edits a post of several of these accounts.
_WITH_HELD = """
    SELECT account_id
    FROM publications
    WHERE user_id = $1 AND account_id = ANY($2::uuid[]) AND state = 'held'
    ORDER BY id
    FOR UPDATE
"""
_HELD_BACK = """
    SELECT id
    FROM publications
    WHERE id = ANY(ARRAY(
        SELECT id FROM publications WHERE user_id = $1 AND account_id = ANY($2::uuid[]) AND state = 'held'
        UNION ALL
        SELECT id
        FROM publications
        WHERE user_id = $1 AND account_id = ANY($2::uuid[]) AND state = 'scheduled' AND reason = 'health_cap'
    ))
    ORDER BY id
    FOR UPDATE
"""


async def release_accounts(tx: Connection, *, user_id: UUID, account_ids: Sequence[UUID], rescue_after_s: float) -> int:
    """As `release_held`, for each of these accounts. The caller holds the locks on their rows.

    Returns:
        How many publications were released.
    """
    rows = await tx.fetch(_WITH_HELD, user_id, list(account_ids)) if account_ids else []
    released = [
        await release_held(tx, user_id=user_id, account_id=account_id, rescue_after_s=rescue_after_s)
        for account_id in {row["account_id"] for row in rows}
    ]
    return sum(released)


async def lock_held_back(tx: Connection, account_ids: Sequence[UUID], *, user_id: UUID) -> None:
    """Lock what is held for these accounts and what waits for their halved caps, before both are let go.

    Let go one after the other, they would be locked in another order than that of all who lock several. The caller
    holds the locks on the accounts' rows.
    """
    await tx.execute(_HELD_BACK, user_id, list(account_ids))
