"""The sweep that says whose accounts are to be looked at together: where something happened, and all now and then."""

from __future__ import annotations

import structlog

from shared.database import Pool, Row
from shared.jobs import JobType, MonitorSwarm, new_job, to_outbox
from shared.outbox import Message, append

#: How often it is swept.
SWEEP_S = 5.0
# Longer than a transaction lasts whose events bear the time of its begin. What is overlooked is found in the round.
_LOOK_BACK_S = 3 * SWEEP_S
_BATCH = 500
log = structlog.get_logger()

_CHANGES = (
    "account.connected",
    "account.disconnected",
    "account.reauth_required",
    "account.restricted",
    "account.resumed",
    "account.token_refreshed",
    "publication.missed",
    "publication.outcome_unknown",
    "swarm.incident",
)
# Most of these are the daily work: they say something only where an outcome was unknown.
_OUTCOMES = ("publication.published", "publication.failed")
_HAPPENED = """
    SELECT DISTINCT events.user_id
    FROM events
    WHERE events.created_at > now() - $1 * interval '1 second' AND events.created_at <= now()
      AND (
          events.type = ANY($2::text[])
          OR (
              events.type = ANY($3::text[])
              AND EXISTS (
                  SELECT
                  FROM alerts
                  WHERE alerts.user_id = events.user_id AND alerts.code = 'outcome_unknown'
                    AND alerts.state <> 'resolved'
              )
          )
      )
"""
# Tokens come near their end without an event.
_TAKE_DUE = """
    WITH due AS (
        SELECT id
        FROM users
        WHERE monitor_at <= now()
        ORDER BY monitor_at
        LIMIT $1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE users
    SET monitor_at = now() + interval '15 minutes'
    FROM due
    WHERE users.id = due.id
    RETURNING users.id AS user_id, EXISTS (SELECT FROM accounts WHERE accounts.user_id = users.id) AS has_accounts
"""


async def monitor_swarms_once(pool: Pool) -> float | None:
    """One sweep. Returns 0 if there may be more, None for the usual rhythm."""
    async with pool.acquire() as connection, connection.transaction():
        happened = await connection.fetch(_HAPPENED, _LOOK_BACK_S, _CHANGES, _OUTCOMES)
        due = await connection.fetch(_TAKE_DUE, _BATCH)
        wanted = {row["user_id"]: row for row in [*happened, *(row for row in due if row["has_accounts"])]}
        asked = await append(connection, [_message(row) for row in wanted.values()])
    if asked:
        log.info("swarms.monitor_asked", count=asked)
    return 0.0 if len(due) == _BATCH else None


def _message(row: Row) -> Message:
    payload = MonitorSwarm(user_id=row["user_id"])
    return to_outbox(new_job(JobType.HEALTH_MONITOR, payload, subject=str(row["user_id"])))
