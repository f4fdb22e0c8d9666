"""Gauges of all tenants' accounts together: states, bands, tokens that end, publishing limits that are used up."""

from __future__ import annotations

import math
from collections.abc import Iterable

from prometheus_client import Gauge

from shared import metrics
from shared.accounts import AccountState
from shared.database import Pool, Row

_BANDS = ("healthy", "watch", "degraded", "at_risk", "critical", "provisional")
_USES = ("under_half", "over_half", "over_90", "full")
# Their tokens serve nobody, whenever they end.
_IN_USE = sorted(set(AccountState) - {AccountState.NEEDS_REAUTH, AccountState.DISCONNECTED})

# From accounts_standing alone.
_BY_STATE = """
    SELECT state AS label, count(*) AS accounts
    FROM accounts
    WHERE removed_at IS NULL
    GROUP BY state
"""
# The score of an account goes with it when it is removed.
_BY_BAND = """
    SELECT band AS label, count(*) AS accounts
    FROM health_scores
    GROUP BY band
"""
_ENDING = """
    SELECT count(*) FILTER (WHERE token_expires_at < now() + interval '1 day') AS "1",
           count(*) FILTER (WHERE token_expires_at < now() + interval '3 days') AS "3",
           count(*) FILTER (WHERE token_expires_at < now() + interval '7 days') AS "7",
           count(*) AS "14"
    FROM accounts
    WHERE removed_at IS NULL AND state = ANY($1::text[]) AND token_expires_at < now() + interval '14 days'
"""
_FIRST_END = """
    SELECT extract(epoch FROM min(first.token_expires_at) - now())::float8
    FROM unnest($1::text[]) AS used (state)
    CROSS JOIN LATERAL (
        SELECT token_expires_at
        FROM accounts
        WHERE removed_at IS NULL AND accounts.state = used.state AND token_expires_at IS NOT NULL
        ORDER BY token_expires_at
        LIMIT 1
    ) AS first
"""
# The platform's window is a day long: what it told before says nothing now. Where a publish call was refused since, the
# limit is used up whatever the check found.
_BY_QUOTA_USE = """
    SELECT label, count(*) AS accounts
    FROM (
        SELECT CASE WHEN used >= total OR refused THEN 'full'
                    WHEN used > 0.9 * total THEN 'over_90'
                    WHEN used > 0.5 * total THEN 'over_half'
                    ELSE 'under_half' END AS label
        FROM (
            SELECT coalesce(health_checks.quota_used, 0) AS used, accounts.quota_total AS total,
                   coalesce(accounts.quota_until > now(), false) AS refused
            FROM health_checks
            JOIN accounts ON accounts.user_id = health_checks.user_id AND accounts.id = health_checks.account_id
            WHERE accounts.removed_at IS NULL
              AND (accounts.quota_until > now()
                   OR (health_checks.quota_used > 0 AND accounts.quota_total > 0
                       AND health_checks.checked_at > now() - interval '24 hours'))
        ) AS known
    ) AS labelled
    GROUP BY label
"""


async def observe_accounts_once(pool: Pool) -> None:
    """Count them and set their gauges. Hundreds of thousands take some tenths of a second."""
    async with pool.acquire() as connection:
        by_state = await connection.fetch(_BY_STATE)
        by_band = await connection.fetch(_BY_BAND)
        ending = await connection.fetchrow(_ENDING, _IN_USE)
        first_end_s = await connection.fetchval(_FIRST_END, _IN_USE)
    _show(metrics.accounts, by_state, labels=AccountState)
    _show(metrics.accounts_in_band, by_band, labels=_BANDS)
    for days, count in (ending or {}).items():
        metrics.tokens_ending.labels(days).set(count)
    metrics.token_first_end_seconds.set(math.inf if first_end_s is None else first_end_s)


async def observe_quota_once(pool: Pool) -> None:
    """Count accounts by their use of the limit. Both tables are read: seconds where there are hundreds of thousands."""
    _show(metrics.accounts_by_quota_use, await pool.fetch(_BY_QUOTA_USE), labels=_USES)


def _show(gauge: Gauge, rows: Iterable[Row], *, labels: Iterable[str]) -> None:
    """Set each of the labels, 0 where no row speaks of it; whatever else a row may say makes no series."""
    counted = {row["label"]: row["accounts"] for row in rows}
    for label in labels:
        gauge.labels(label).set(counted.get(label, 0))
