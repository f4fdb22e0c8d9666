"""SQL and cache keys of health."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from shared.accounts import PUBLISHABLE
from shared.cache import CacheKey, CacheNamespace, CacheService
from shared.database import Connection

BANDS = ("healthy", "watch", "degraded", "at_risk", "critical", "provisional")
_JSON = ("components", "gates", "reasons")
_SCORE = """
    SELECT account_id, score, band, confidence, components, gates, reasons, formula_version, computed_at
    FROM health_scores
    WHERE user_id = $1 AND account_id = $2
"""
_SWARM = """
    SELECT count(*) AS accounts,
           count(health_scores.score) AS judged,
           round(avg(health_scores.score), 1)::float8 AS score,
           (count(*) FILTER (WHERE accounts.state = ANY($2::text[])))::float8 / nullif(count(*), 0)
               AS publishable_ratio,
           min(accounts.token_expires_at) AS earliest_token_expiry
    FROM accounts
    LEFT JOIN health_scores ON health_scores.account_id = accounts.id AND health_scores.user_id = accounts.user_id
    WHERE accounts.user_id = $1 AND accounts.removed_at IS NULL
"""
_BANDS = "SELECT band, count(*) AS accounts FROM health_scores WHERE user_id = $1 GROUP BY band"
# Served by the index health_scores_worst.
_WORST = """
    SELECT health_scores.account_id, accounts.username, health_scores.score, health_scores.band
    FROM health_scores
    JOIN accounts ON accounts.user_id = health_scores.user_id AND accounts.id = health_scores.account_id
    WHERE health_scores.user_id = $1
    ORDER BY health_scores.score, health_scores.account_id
    LIMIT 5
"""
_ACCOUNT = "SELECT 1 FROM accounts WHERE user_id = $1 AND id = $2 AND removed_at IS NULL"


def score_key(user_id: UUID, account_id: UUID) -> CacheKey:
    """Where an account's score is cached."""
    return CacheService.key(CacheNamespace.HEALTH, user_id, account_id)


def swarm_key(user_id: UUID) -> CacheKey:
    """Where the swarm's figures are cached."""
    return CacheService.key(CacheNamespace.HEALTH_SWARM, user_id)


async def score(connection: Connection, account_id: UUID, *, user_id: UUID) -> dict[str, Any] | None:
    """The newest judgement of an account; None if there is none yet."""
    row = await connection.fetchrow(_SCORE, user_id, account_id)
    return None if row is None else dict(row) | {name: json.loads(row[name]) for name in _JSON}


async def swarm(connection: Connection, *, user_id: UUID) -> dict[str, Any]:
    """All accounts of a user seen together."""
    publishable = [state.value for state in sorted(PUBLISHABLE)]
    figures = await connection.fetchrow(_SWARM, user_id, publishable)
    counted = {row["band"]: row["accounts"] for row in await connection.fetch(_BANDS, user_id)}
    worst = [dict(row) for row in await connection.fetch(_WORST, user_id)]
    return {**dict(figures or {}), "bands": {band: counted.get(band, 0) for band in BANDS}, "worst": worst}


async def account_exists(connection: Connection, account_id: UUID, *, user_id: UUID) -> bool:
    """Whether the user has this account."""
    found = await connection.fetchval(_ACCOUNT, user_id, account_id)
    return found is not None
