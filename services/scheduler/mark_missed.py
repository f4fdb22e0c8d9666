"""Publications that became too late are marked missed: said aloud, never silently dropped, never burst out later.

One whose publish call was sent may be live and is never missed; if nobody can look for too long, a person is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import structlog

from shared.database import Pool, Row
from shared.jobs import JobType
from shared.outbox import withdraw
from shared.publications import Change, Owner, Publication, PublicationState, count_ended, transition, transition_all

_BATCH = 500
_TOO_LATE_ALONE = "too_late"
# They say that it may go on again, not why it waited.
_GOES_ON = frozenset({"released", "platform_back", "rescheduled_by_user", "retried_by_user"})
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
    moved: list[Publication] = []
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_TOO_LATE, _BATCH)
        for (user_id, reason), publication_ids in _by_cause(rows).items():
            change = Change(to=PublicationState.MISSED, owner=Owner.SCHEDULER, reason=reason)
            moved += await transition_all(connection, publication_ids, change, user_id=user_id)
        await withdraw(connection, type_=JobType.POST_PUBLISH, subjects=[str(row["id"]) for row in rows])
    count_ended(moved)
    if rows:
        log.warning("publications.missed", count=len(rows))
    return 0.0 if len(rows) == _BATCH else None


def _by_cause(rows: Sequence[Row]) -> dict[tuple[UUID, str], list[UUID]]:
    causes = defaultdict[tuple[UUID, str], list[UUID]](list)
    for row in rows:
        reason = row["reason"]
        causes[row["user_id"], _TOO_LATE_ALONE if reason is None or reason in _GOES_ON else reason].append(row["id"])
    return causes


async def give_up_unseen_once(pool: Pool) -> float | None:
    """One sweep over what is held with a publish call that is open. Returns 0 if there may be more."""
    change = Change(to=PublicationState.OUTCOME_UNKNOWN, owner=Owner.SCHEDULER, reason="unverified")
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_UNSEEN, _BATCH)
        moved = [await transition(connection, row["id"], change, user_id=row["user_id"]) for row in rows]
    count_ended(publication for publication in moved if publication is not None)
    if rows:
        log.warning("publications.unseen", count=len(rows))
    return 0.0 if len(rows) == _BATCH else None
