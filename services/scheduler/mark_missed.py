"""Publications that became too late are marked missed: said aloud, never silently dropped, never burst out later.

One whose publish call was sent may be live and is never missed; if nobody can look for too long, a person is asked.
"""

from __future__ import annotations

import structlog

from shared.database import Pool
from shared.jobs import JobType
from shared.outbox import withdraw
from shared.publications import Change, Owner, PublicationState, transition

_BATCH = 200
log = structlog.get_logger()

# A wait that ends only after the last moment is a miss already. A row past its first step is exempt while its container
# lives: the platform has the media and one more call may finish it. One whose publish call was sent is never missed: it
# may be live.
_TOO_LATE = """
    SELECT id, user_id, reason FROM publications
    WHERE state IN ('scheduled', 'held') AND publish_at <= now()
      AND publish_at + max_lateness_s * interval '1 second'
          < CASE WHEN state = 'scheduled' THEN greatest(next_attempt_at, now()) ELSE now() END
      AND (step IS NULL OR (step <> 'publish_sent' AND container_created_at < now() - interval '24 hours'))
    ORDER BY publish_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
"""
# Held for its account, it is not looked up; after a day its container has nothing to say any more. The call came after
# `publish_at`.
_UNSEEN = """
    SELECT id, user_id FROM publications
    WHERE state = 'held' AND step = 'publish_sent' AND publish_sent_at < now() - interval '24 hours'
      AND publish_at < now() - interval '24 hours'
    ORDER BY publish_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
"""


async def mark_missed_once(pool: Pool) -> float | None:
    """One sweep. Returns 0 if there may be more, None for the usual rhythm."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_TOO_LATE, _BATCH)
        for row in rows:
            change = Change(to=PublicationState.MISSED, owner=Owner.SCHEDULER, reason=row["reason"] or "too_late")
            await transition(connection, row["id"], change, user_id=row["user_id"])
        await withdraw(connection, type_=JobType.POST_PUBLISH, subjects=[str(row["id"]) for row in rows])
    if rows:
        log.warning("publications.missed", count=len(rows))
    return 0.0 if len(rows) == _BATCH else None


async def give_up_unseen_once(pool: Pool) -> float | None:
    """One sweep over what is held with a publish call that is open. Returns 0 if there may be more."""
    change = Change(to=PublicationState.OUTCOME_UNKNOWN, owner=Owner.SCHEDULER, reason="unverified")
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_UNSEEN, _BATCH)
        for row in rows:
            await transition(connection, row["id"], change, user_id=row["user_id"])
    if rows:
        log.warning("publications.unseen", count=len(rows))
    return 0.0 if len(rows) == _BATCH else None
