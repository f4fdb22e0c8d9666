"""SQL and cache keys of health."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from shared.accounts import CAUTION_COLUMN
from shared.cache import CacheKey, CacheNamespace, CacheService
from shared.database import Connection, Row

_JSON = ("components", "weights", "gates", "reasons")
_CAUTION = f"""
    {CAUTION_COLUMN},
    CASE WHEN accounts.caution_waived_until > now() THEN accounts.caution_waived_until END AS caution_waived_until
"""
_SCORE = f"""
    SELECT account_id, score, band, confidence, components, weights, gates, reasons, formula_version, computed_at,
           {_CAUTION}
    FROM health_scores
    JOIN accounts ON accounts.user_id = health_scores.user_id AND accounts.id = health_scores.account_id
    WHERE health_scores.user_id = $1 AND health_scores.account_id = $2 AND accounts.removed_at IS NULL
"""  # noqa: S608 - built of constants alone
_ACCOUNT = "SELECT 1 FROM accounts WHERE user_id = $1 AND id = $2 AND removed_at IS NULL"
_LOCK_CAUTION = f"""
    SELECT {_CAUTION}
    FROM accounts
    WHERE user_id = $1 AND id = $2 AND removed_at IS NULL
    FOR NO KEY UPDATE
"""  # noqa: S608 - built of constants alone
_WAIVE = f"""
    UPDATE accounts
    SET caution_waived_until = now() + make_interval(hours => $3)
    WHERE user_id = $1 AND id = $2
    RETURNING {_CAUTION}, (SELECT band FROM health_scores WHERE account_id = accounts.id) AS band
"""  # noqa: S608 - built of constants alone
_END_WAIVER = f"""
    UPDATE accounts
    SET caution_waived_until = NULL
    WHERE user_id = $1 AND id = $2
    RETURNING {_CAUTION}, (SELECT band FROM health_scores WHERE account_id = accounts.id) AS band
"""  # noqa: S608 - built of constants alone


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


async def account_exists(connection: Connection, account_id: UUID, *, user_id: UUID) -> bool:
    """Whether the user has this account."""
    found = await connection.fetchval(_ACCOUNT, user_id, account_id)
    return found is not None


async def lock_caution(tx: Connection, account_id: UUID, *, user_id: UUID) -> Row | None:
    """How careful the system is with one of the user's accounts, which nobody changes until the transaction ends."""
    return await tx.fetchrow(_LOCK_CAUTION, user_id, account_id)


async def waive(tx: Connection, account_id: UUID, *, user_id: UUID, hours: int) -> Row:
    """Let an account go on for some hours, whatever its health is. Lock it first."""
    [row] = await tx.fetch(_WAIVE, user_id, account_id, hours)
    return row


async def end_waiver(tx: Connection, account_id: UUID, *, user_id: UUID) -> Row:
    """Let what follows from an account's health be in force again. Lock it first."""
    [row] = await tx.fetch(_END_WAIVER, user_id, account_id)
    return row
