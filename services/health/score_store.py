"""The rows of scores. All that is written of a batch goes as one document: it costs less than an array a column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from services.health.components import Component, share_weights
from services.health.gates import Gate
from services.health.scoring import FORMULA_VERSION
from services.health.verdict import Verdict
from services.health.words import Reason
from shared.database import Connection

_LOCK_ACCOUNTS = """
    SELECT id FROM accounts
    WHERE id = ANY($1::uuid[]) AND removed_at IS NULL
    ORDER BY id
    FOR NO KEY UPDATE
"""
_LOCK_SCORES = """
    SELECT account_id FROM health_scores
    WHERE account_id = ANY($1::uuid[])
    ORDER BY account_id
    FOR NO KEY UPDATE
"""
_NEW = """
    jsonb_to_recordset($1::jsonb)
    AS new (account_id uuid, user_id uuid, score smallint, band text, confidence float8, components jsonb,
            weights jsonb, gates jsonb, reasons jsonb, rising_band text, rising_since timestamptz, exposure integer,
            judged_before timestamptz, history_id uuid)
"""
# Whoever was judged by others since the evidence was read is left as those found it.
_UPDATE = f"""
    UPDATE health_scores AS scores
    SET score = new.score, band = new.band, confidence = new.confidence, components = new.components,
        weights = new.weights, gates = new.gates, reasons = new.reasons, formula_version = $2,
        rising_band = new.rising_band,
        rising_since = CASE WHEN new.rising_band IS NOT NULL THEN coalesce(new.rising_since, now()) END,
        exposure = new.exposure, computed_at = now()
    FROM {_NEW}
    WHERE scores.user_id = new.user_id AND scores.account_id = new.account_id
      AND scores.computed_at = new.judged_before
    RETURNING scores.account_id
"""  # noqa: S608 - built of constants alone
# One that is removed meanwhile gets none.
_INSERT = f"""
    INSERT INTO health_scores (
        account_id, user_id, score, band, confidence, components, weights, gates, reasons, formula_version,
        rising_band, rising_since, exposure, computed_at
    )
    SELECT new.account_id, new.user_id, new.score, new.band, new.confidence, new.components, new.weights, new.gates,
           new.reasons, $2, new.rising_band, CASE WHEN new.rising_band IS NOT NULL THEN now() END, new.exposure, now()
    FROM {_NEW}
    JOIN accounts ON accounts.user_id = new.user_id AND accounts.id = new.account_id
    WHERE accounts.removed_at IS NULL AND new.judged_before IS NULL
    ORDER BY new.account_id
    FOR KEY SHARE OF accounts
    ON CONFLICT (account_id) DO NOTHING
    RETURNING account_id
"""  # noqa: S608 - built of constants alone
_NOTE = f"""
    INSERT INTO health_history (
        id, user_id, account_id, score, band, confidence, components, gates, reasons, formula_version, computed_at
    )
    SELECT new.history_id, new.user_id, new.account_id, new.score, new.band, new.confidence, new.components, new.gates,
           new.reasons, $2, now()
    FROM {_NEW}
"""  # noqa: S608 - built of constants alone
_FORGET = """
    WITH removed AS (
        SELECT user_id, id
        FROM accounts
        WHERE id = ANY($1::uuid[]) AND removed_at IS NOT NULL
    ), forgotten AS (
        DELETE FROM health_scores
        USING removed
        WHERE health_scores.account_id = removed.id AND health_scores.user_id = removed.user_id
    )
    SELECT user_id, id FROM removed
"""


class _New(msgspec.Struct, frozen=True, kw_only=True):
    """One score, as the statements read it."""

    account_id: UUID
    user_id: UUID
    score: int
    band: str
    confidence: float
    components: Mapping[str, float]
    weights: Mapping[str, float]
    gates: Mapping[Gate, int]
    reasons: Sequence[Reason]
    rising_band: str | None
    rising_since: datetime | None  # None: since now
    exposure: int
    judged_before: datetime | None  # None: never
    history_id: UUID | None


async def lock_accounts(tx: Connection, account_ids: Sequence[UUID]) -> None:
    """Lock those on which the judgement will have an effect, in the order in which all lock several."""
    if account_ids:
        await tx.execute(_LOCK_ACCOUNTS, account_ids)


async def store_scores(tx: Connection, verdicts: Sequence[Verdict]) -> set[UUID]:
    """Write scores; answers whose were written. Others were judged by somebody else since, or are gone."""
    if not verdicts:
        return set()
    document = _document(verdicts, noted=False)
    await tx.execute(_LOCK_SCORES, [verdict.known.account_id for verdict in verdicts])
    written = {row["account_id"] for row in await tx.fetch(_UPDATE, document, FORMULA_VERSION)}
    if len(written) < len(verdicts):
        written |= {row["account_id"] for row in await tx.fetch(_INSERT, document, FORMULA_VERSION)}
    return written


async def store_history(tx: Connection, verdicts: Sequence[Verdict]) -> None:
    """Keep scores for later."""
    if verdicts:
        await tx.execute(_NOTE, _document(verdicts, noted=True), FORMULA_VERSION)


async def forget_removed(tx: Connection, account_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[UUID]]:
    """Delete the scores of accounts that were removed; answers these, by tenant."""
    removed = defaultdict[UUID, list[UUID]](list)
    for row in await tx.fetch(_FORGET, account_ids):
        removed[row["user_id"]].append(row["id"])
    return removed


def _document(verdicts: Sequence[Verdict], *, noted: bool) -> str:
    return msgspec.json.encode([_new(verdict, noted=noted) for verdict in verdicts]).decode()


def _new(verdict: Verdict, *, noted: bool) -> _New:
    known, score = verdict.known, verdict.score
    return _New(
        account_id=known.account_id,
        user_id=known.user_id,
        score=score.score,
        band=score.band,
        confidence=round(score.confidence, 3),
        components={component: round(value, 1) for component, value in score.components.items()},
        weights=_weights(tuple(score.components)),
        gates=score.gates,
        reasons=score.reasons,
        rising_band=score.rising_band,
        rising_since=known.row["rising_since"] if score.rises_on else None,
        exposure=known.row["exposure"],
        judged_before=known.row["computed_at"],
        history_id=uuid7() if noted else None,
    )


@lru_cache(maxsize=64)
def _weights(components: tuple[Component, ...]) -> Mapping[str, float]:
    return {component: round(weight, 3) for component, weight in share_weights(components).items()}
