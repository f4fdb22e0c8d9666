"""Finding publications that no message speaks for any more, and giving them a new one."""

from __future__ import annotations

from shared.database import Connection, Pool
from shared.outbox import append
from shared.publications.job import publish_message

_MOST_WAIT_S = 900
# Rows wait at the broker for at most the top of its retry ladder.
_AT_BROKER_S = 960
_NOTE_BATCH = 1_000

_RESCUE = """
    WITH forgotten AS (
        SELECT id FROM publications
        WHERE state = 'scheduled' AND rescue_at <= now()
        ORDER BY rescue_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    ),
    abandoned AS (
        SELECT id FROM publications
        WHERE state = 'publishing' AND lease_until < now() AND rescue_at <= now()
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE publications SET
        rescues = rescues + 1,
        rescue_at = now() + least($2::float8 * 2 ^ least(rescues, 20), $3::float8) * interval '1 second'
    WHERE id IN (SELECT id FROM forgotten UNION ALL SELECT id FROM abandoned)
    RETURNING id, revision, priority, state = 'publishing' OR EXISTS (
        SELECT 1 FROM job_starts WHERE type = 'post:publish' AND subject = publications.id::text
    ) AS suspect
"""
_BROKER_EMPTIED = """
    UPDATE publications SET rescue_at = greatest(next_attempt_at, now())
    WHERE id IN (
        SELECT id FROM publications
        WHERE (state = 'scheduled' AND next_attempt_at <= now() + $1::float8 * interval '1 second'
               AND rescue_at > greatest(next_attempt_at, now()))
           OR (state = 'publishing' AND rescue_at > now())
        ORDER BY id
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""


async def rescue_publications(tx: Connection, *, limit: int, rescue_after_s: float) -> tuple[int, int]:
    """Give forgotten publications an outbox row again.

    Forgotten is a scheduled one past its `rescue_at`, and one in publishing whose lease has run out. Each rescue
    doubles the wait before the next, up to 15 minutes. One that is not forgotten after all only gets a message too
    many, which the claim makes harmless.

    Args:
        tx: the caller's transaction.
        limit: most rows of each kind.
        rescue_after_s: the first wait.

    Returns:
        How many had no message any more and have one now, and how many were looked at.
    """
    rows = await tx.fetch(_RESCUE, limit, rescue_after_s, float(_MOST_WAIT_S))
    messages = [
        publish_message(
            row["id"],
            revision=row["revision"],
            priority=row["priority"],
            due_at=None,
            # Whoever claimed it, or last began with it, died with it, and perhaps of it.
            suspect=row["suspect"],
        )
        for row in rows
    ]
    return await append(tx, messages), len(rows)


async def note_broker_emptied(pool: Pool, _queues: list[str]) -> None:
    """The broker lost queues: whatever waited there is forgotten as soon as it is due.

    Which queue it was is no matter: a row that is not forgotten after all only gets a message too many.
    """
    while len(await pool.fetch(_BROKER_EMPTIED, float(_AT_BROKER_S), _NOTE_BATCH)) == _NOTE_BATCH:
        continue
