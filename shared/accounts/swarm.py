"""All accounts of a tenant seen together: how likely what is planned on them is to be published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.accounts.caution import CAUTION_COLUMN, Caution
from shared.accounts.states import PUBLISHABLE, AccountState
from shared.database import Connection

#: Every band, the best first; `provisional` is that of an account of which too little is known.
BANDS = ("healthy", "watch", "degraded", "at_risk", "critical", "provisional")
_PUBLISHABLE = [state.value for state in sorted(PUBLISHABLE)]
# Their tokens serve nobody, whenever they end.
_TOKENLESS = [AccountState.NEEDS_REAUTH.value, AccountState.DISCONNECTED.value]
# The mean tells what most publications meet; the tail keeps a few dying accounts from hiding behind many good ones.
_MEAN_SHARE, _TAIL_SHARE = 0.6, 0.4

# Scores come from the index health_scores_worst alone, which gives them in the order that the tail asks for.
_SEEN = f"""
    WITH scores AS (
        SELECT account_id, score, band, exposure
        FROM health_scores
        WHERE user_id = $1
    ),
    accounts AS (
        SELECT id, state, token_expires_at, {CAUTION_COLUMN}
        FROM accounts
        WHERE user_id = $1 AND removed_at IS NULL
    )
    SELECT count(*) AS accounts,
           count(scores.score) AS judged,
           sum(scores.score * scores.exposure)::float8 / sum(scores.exposure) AS mean,
           percentile_cont(0.1) WITHIN GROUP (ORDER BY scores.score) AS p10,
           count(*) FILTER (
               WHERE accounts.state = ANY($2::text[]) AND accounts.caution <> '{Caution.HELD}'
           ) AS publishable,
           min(accounts.token_expires_at) FILTER (WHERE accounts.state <> ALL ($3::text[])) AS earliest_token_expiry,
           count(*) FILTER (WHERE scores.band = 'healthy') AS healthy,
           count(*) FILTER (WHERE scores.band = 'watch') AS watch,
           count(*) FILTER (WHERE scores.band = 'degraded') AS degraded,
           count(*) FILTER (WHERE scores.band = 'at_risk') AS at_risk,
           count(*) FILTER (WHERE scores.band = 'critical') AS critical,
           count(*) FILTER (WHERE scores.band = 'provisional') AS provisional
    FROM accounts
    LEFT JOIN scores ON scores.account_id = accounts.id
"""  # noqa: S608 - built of constants alone
_WORST = """
    SELECT health_scores.account_id, accounts.username, health_scores.score, health_scores.band,
           health_scores.reasons -> 0 AS reason
    FROM health_scores
    JOIN accounts ON accounts.user_id = health_scores.user_id AND accounts.id = health_scores.account_id
    WHERE health_scores.user_id = $1 AND accounts.removed_at IS NULL
    ORDER BY health_scores.score, health_scores.account_id
    LIMIT 5
"""
_INCIDENTS = """
    SELECT error_class, opened_at AS since, paused_until
    FROM incidents
    WHERE closed_at IS NULL
    ORDER BY opened_at
"""


@dataclass(frozen=True, kw_only=True)
class WorstAccount:
    """One of the accounts with the lowest scores."""

    account_id: UUID
    username: str
    score: int
    band: str
    reason: dict[str, str] | None  # the first: code, text, advice; None: nothing lowers it


@dataclass(frozen=True, kw_only=True)
class OpenIncident:
    """A class of error that hits many accounts of all tenants at once."""

    error_class: str
    since: datetime
    paused_until: datetime  # nobody calls the platform until then


@dataclass(frozen=True, kw_only=True)
class SwarmHealth:
    """All accounts of a tenant that were not removed."""

    accounts: int
    judged: int  # those that have a score
    score: float | None  # 0 to 100; None: no account is judged
    mean: float | None  # of the scores, each weighing as much as is due on its account within 7 days
    p10: float | None  # a tenth of the accounts scores no better
    publishable_ratio: float | None  # None: there are no accounts
    earliest_token_expiry: datetime | None
    bands: dict[str, int]
    worst: Sequence[WorstAccount]
    incidents: Sequence[OpenIncident]


def swarm_score(*, mean: float, p10: float) -> float:
    """The score of all accounts together, of their exposure-weighted mean and their tenth percentile."""
    return round(_MEAN_SHARE * mean + _TAIL_SHARE * p10, 1)


async def read_swarm(connection: Connection, *, user_id: UUID) -> SwarmHealth:
    """See all accounts of a tenant together, as they are now."""
    seen: Any = await connection.fetchrow(_SEEN, user_id, _PUBLISHABLE, _TOKENLESS)
    judged = seen["judged"] > 0
    return SwarmHealth(
        accounts=seen["accounts"],
        judged=seen["judged"],
        score=swarm_score(mean=seen["mean"], p10=seen["p10"]) if judged else None,
        mean=round(seen["mean"], 1) if judged else None,
        p10=round(seen["p10"], 1) if judged else None,
        publishable_ratio=seen["publishable"] / seen["accounts"] if seen["accounts"] else None,
        earliest_token_expiry=seen["earliest_token_expiry"],
        bands={band: seen[band] for band in BANDS},
        worst=[_worst(row) for row in await connection.fetch(_WORST, user_id)],
        incidents=[OpenIncident(**dict(row)) for row in await connection.fetch(_INCIDENTS)],
    )


def _worst(row: Any) -> WorstAccount:
    reason = None if row["reason"] is None else msgspec.json.decode(row["reason"], type=dict[str, str])
    return WorstAccount(**{**dict(row), "reason": reason})
