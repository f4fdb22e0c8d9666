"""`health:monitor`: look at all accounts of a tenant together, and bring its alerts to what is wrong now."""

from __future__ import annotations

import structlog

from services.health.account_alerts import FOUND_CODES, alert_of
from shared.alerts import settle_alerts
from shared.database import Pool
from shared.jobs import Again, Job, MonitorSwarm

log = structlog.get_logger()

# Who comes while another is at it leaves it to that one: what it has not seen is seen within minutes.
_TAKE = "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text, 7))"
# A token is told of where the renewal that was planned for it did not happen, or failed, or comes too late.
# While many accounts are refused for the same reason at once, and until they have been asked for again, nobody is told
# of each of them: see `watch_incidents`.
_FIND = """
    SELECT 'token_expiring' AS code, accounts.id AS account_id, accounts.username, NULL::bigint AS number,
           extract(epoch FROM accounts.token_expires_at - now())::float8 / 86400 AS days_left,
           accounts.token_expires_at AS expires_at
    FROM accounts
    JOIN account_tokens ON account_tokens.account_id = accounts.id
    CROSS JOIN LATERAL token_refresh_at(accounts.id, account_tokens.obtained_at, accounts.token_expires_at)
        AS renewal
    WHERE accounts.user_id = $1 AND accounts.removed_at IS NULL
      AND accounts.token_expires_at < now() + interval '14 days'
      AND accounts.state NOT IN ('NEEDS_REAUTH', 'DISCONNECTED')
      AND (account_tokens.refresh_failures > 0 OR renewal < now() - interval '1 hour'
           OR renewal >= accounts.token_expires_at)
    UNION ALL
    SELECT refused.code, accounts.id, accounts.username, NULL, NULL, NULL
    FROM accounts
    CROSS JOIN LATERAL (
        SELECT CASE accounts.state WHEN 'NEEDS_REAUTH' THEN 'reauth_required' ELSE 'account_restricted' END AS code
    ) AS refused
    WHERE accounts.user_id = $1 AND accounts.removed_at IS NULL AND accounts.state IN ('NEEDS_REAUTH', 'RESTRICTED')
      AND (
          EXISTS (
              SELECT
              FROM alerts
              WHERE alerts.user_id = $1 AND alerts.code = refused.code AND alerts.subject_id = accounts.id
                AND alerts.state <> 'resolved'
          )
          OR NOT EXISTS (
              SELECT
              FROM incidents
              WHERE coalesce(incidents.closed_at, 'infinity') > now() - interval '15 minutes'
                AND (incidents.error_class = 'reauth') = (accounts.state = 'NEEDS_REAUTH')
                AND incidents.error_class IN ('reauth', 'restricted', 'spam_suspected')
          )
      )
    UNION ALL
    SELECT CASE publications.state WHEN 'missed' THEN 'publications_missed' ELSE 'outcome_unknown' END,
           accounts.id, accounts.username, publications.number, NULL, NULL
    FROM (
        SELECT account_id, state, count(*) AS number
        FROM publications
        WHERE user_id = $1 AND state IN ('outcome_unknown', 'missed')
          AND (state = 'outcome_unknown' OR updated_at > now() - interval '24 hours')
        GROUP BY account_id, state
    ) AS publications
    JOIN accounts ON accounts.user_id = $1 AND accounts.id = publications.account_id
    WHERE accounts.removed_at IS NULL
"""


async def monitor_swarm(pool: Pool, _job: Job, payload: MonitorSwarm) -> Again | None:
    """Raise what is wrong with a tenant's accounts, and resolve what is over."""
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval(_TAKE, str(payload.user_id)):
            return None
        found = await connection.fetch(_FIND, payload.user_id)
        alerts = [alert_of(dict(row), user_id=payload.user_id) for row in found]
        raised, resolved = await settle_alerts(connection, alerts, codes=FOUND_CODES, user_id=payload.user_id)
    log.info("swarm.monitored", live=len(alerts), raised=raised, resolved=resolved)
    return None
