"""Once the platform is back: what waited for it goes on now, not at the end of a wait that has lost its reason."""

from __future__ import annotations

from functools import partial

from shared.database import Connection, Pool, run_in_transaction
from shared.outbox import replace
from shared.publications.job import publish_message

_BATCH = 500
# A platform that has just come back gets 100 publications a second, not 10,000 at once.
_BATCH_SPREAD_S = 5.0

# The new reason takes a row out of the set: whoever else looks at the same time finds others.
_BRING_FORWARD = """
    WITH waiting AS (
        SELECT id,
               -- Looked up after a restore, it does not wait for its time.
               greatest(CASE WHEN container_id = '' THEN now() ELSE publish_at END,
                        now() + ($2::float8 + random() * $3::float8) * interval '1 second') AS due_at
        FROM publications
        WHERE state = 'scheduled' AND reason = 'platform_down'
        ORDER BY next_attempt_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    )
    UPDATE publications AS p SET
        reason = 'platform_back',
        next_attempt_at = waiting.due_at,
        rescue_at = waiting.due_at + $4::float8 * interval '1 second',
        rescues = 0,
        updated_at = now()
    FROM waiting
    WHERE p.id = waiting.id
    RETURNING p.id, p.revision, p.priority, p.next_attempt_at
"""


async def bring_forward(pool: Pool, *, rescue_after_s: float) -> int:
    """Let every publication that waits with `platform_down` go on within the next seconds, 100 of them a second.

    Several processes may do it at once, and again: each row is taken once.

    Args:
        pool: the database; each batch is a transaction of its own.
        rescue_after_s: seconds past due after which a row counts as forgotten.

    Returns:
        How many were brought forward.
    """
    count = 0
    while True:
        after_s = count / _BATCH * _BATCH_SPREAD_S
        moved = await run_in_transaction(pool, partial(_move_batch, after_s, rescue_after_s), idempotent=True)
        count += moved
        if moved < _BATCH:
            return count


async def _move_batch(after_s: float, rescue_after_s: float, tx: Connection) -> int:
    rows = await tx.fetch(_BRING_FORWARD, _BATCH, after_s, _BATCH_SPREAD_S, rescue_after_s)
    messages = [
        publish_message(row["id"], revision=row["revision"], priority=row["priority"], due_at=row["next_attempt_at"])
        for row in rows
    ]
    await replace(tx, messages)
    return len(rows)
