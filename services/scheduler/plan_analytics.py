"""The sweep that finds accounts whose numbers are due, and has the health service collect them."""

from __future__ import annotations

import structlog

from shared.accounts import PUBLISHABLE
from shared.database import Pool, Row
from shared.jobs import CollectAnalytics, JobType, new_job, to_outbox
from shared.outbox import Message, append

#: A batch every so many seconds, and never more: 100,000 accounts that are all due at once take 3 hours, not a burst.
EVERY_S = 10.0
_BATCH = 100
_WANTED = [state.value for state in sorted(PUBLISHABLE)]
log = structlog.get_logger()

# The run itself says when the next one comes; the usual time, if it never came to that. So an account has one more
# waiting a day at most, however long nobody takes them.
_TAKE = """
    WITH due AS (
        SELECT account_id FROM health_checks
        WHERE analytics_due_at <= now()
        ORDER BY analytics_due_at
        LIMIT $1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE health_checks AS h
    SET analytics_due_at = next_analytics_at(h.account_id)
    FROM due, accounts AS a
    CROSS JOIN LATERAL (
        SELECT a.state = ANY($2::text[]) AND a.removed_at IS NULL AND coalesce(a.token_expires_at > now(), true)
               AS wanted
    ) AS known
    WHERE h.account_id = due.account_id AND a.user_id = h.user_id AND a.id = h.account_id
    RETURNING h.user_id, h.account_id, known.wanted
"""


async def plan_analytics_once(pool: Pool) -> None:
    """One sweep."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_TAKE, _BATCH, _WANTED)
        asked = await append(connection, [_message(row) for row in rows if row["wanted"]])
    if asked:
        log.info("analytics.asked", count=asked)


def _message(row: Row) -> Message:
    payload = CollectAnalytics(user_id=row["user_id"], account_id=row["account_id"])
    return to_outbox(new_job(JobType.ANALYTICS_PROCESS, payload, subject=str(row["account_id"])))
