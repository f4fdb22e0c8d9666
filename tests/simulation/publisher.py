"""A publisher without a platform: takes what is due, set-wise, and moves it on by the domain's own arrows."""

from __future__ import annotations

import random
from collections import defaultdict
from uuid import UUID

from shared.database import Connection, Pool
from shared.publications import Change, Owner, PublicationState, transition_all

# As the claim does it: one at a time for each account, and nothing that has become too late.
_CLAIM = """
    UPDATE publications
    SET state = 'publishing', reason = NULL, epoch = epoch + 1, attempt = attempt + 1,
        lease_until = now() + interval '1 minute', lease_owner = 'simulation', updated_at = now()
    WHERE id IN (
        SELECT DISTINCT ON (account_id) id
        FROM publications
        WHERE state = 'scheduled' AND next_attempt_at <= now()
          AND (max_lateness_s IS NULL OR publish_at + max_lateness_s * interval '1 second' >= now())
        ORDER BY account_id, next_attempt_at
    )
    RETURNING id, user_id
"""
_FAIL_SHARE = 0.01


async def publish_due(pool: Pool, dice: random.Random) -> int:
    """Publish what is due; one in a hundred fails. Returns how many ended."""
    ended = 0
    while True:
        async with pool.acquire() as connection, connection.transaction():
            claimed: dict[UUID, list[UUID]] = defaultdict(list)
            for row in await connection.fetch(_CLAIM):
                claimed[row["user_id"]].append(row["id"])
            for user_id, ids in claimed.items():
                await _end(connection, sorted(ids), user_id=user_id, dice=dice)
        if not claimed:
            return ended
        ended += sum(len(ids) for ids in claimed.values())


async def _end(tx: Connection, ids: list[UUID], *, user_id: UUID, dice: random.Random) -> None:
    failed = [id_ for id_ in ids if dice.random() < _FAIL_SHARE]
    published = [id_ for id_ in ids if id_ not in failed]
    live = Change(to=PublicationState.PUBLISHED, owner=Owner.PUBLISHER, media_id="1")
    lost = Change(to=PublicationState.FAILED, owner=Owner.PUBLISHER, reason="content_rejected")
    moved = await transition_all(tx, published, live, user_id=user_id)
    moved += await transition_all(tx, failed, lost, user_id=user_id)
    assert len(moved) == len(ids)
