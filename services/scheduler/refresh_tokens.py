"""The sweep that finds tokens which are due for renewal, and has the health service renew them."""

from __future__ import annotations

import structlog

from shared.accounts import PUBLISHABLE, AccountState
from shared.database import Pool, Row
from shared.jobs import JobType, RefreshToken, new_job, to_outbox
from shared.outbox import Message, append

_BATCH = 500
_ANY_TIME = [state.value for state in sorted(PUBLISHABLE)]
# Their tokens must not die meanwhile. A dead one changes nothing for them.
_WHILE_ALIVE = [AccountState.PAUSED.value, AccountState.RESTRICTED.value]
log = structlog.get_logger()

# Each is looked at again an hour on, and when it ends: what became of the renewal is then known.
_TAKE = """
    WITH due AS (
        SELECT account_id FROM account_tokens
        WHERE refresh_at <= now()
        ORDER BY refresh_at
        LIMIT $1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE account_tokens AS t
    SET refresh_at = least(now() + interval '1 hour', CASE WHEN a.token_expires_at > now() THEN a.token_expires_at END)
    FROM due, accounts AS a
    WHERE t.account_id = due.account_id AND a.user_id = t.user_id AND a.id = t.account_id
    RETURNING t.user_id, t.account_id,
              a.state = ANY($2::text[])
              OR (a.state = ANY($3::text[]) AND coalesce(a.token_expires_at > now(), true)) AS wanted
"""


async def refresh_tokens_once(pool: Pool) -> float | None:
    """One sweep. Returns 0 if there may be more, None for the usual rhythm."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_TAKE, _BATCH, _ANY_TIME, _WHILE_ALIVE)
        asked = await append(connection, [_message(row) for row in rows if row["wanted"]])
    if asked:
        log.info("tokens.refresh_asked", count=asked)
    return 0.0 if len(rows) == _BATCH else None


def _message(row: Row) -> Message:
    payload = RefreshToken(user_id=row["user_id"], account_id=row["account_id"])
    return to_outbox(new_job(JobType.TOKEN_REFRESH, payload, subject=str(row["account_id"])))
