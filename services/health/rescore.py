"""Judging accounts anew: whoever learns something of an account has it judged by all that is known of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from services.health import score_store as store
from services.health.effects import Judged, apply_effects
from services.health.evidence import read_evidence
from services.health.score_alerts import end_alerts, tell_of_bands
from services.health.verdict import Verdict, judge
from shared import metrics
from shared.cache import CacheService
from shared.database import DATABASE_AWAY, Connection, Pool, run_in_transaction
from shared.outbox import Event, record_events

log = structlog.get_logger()

_BATCH = 500
# Of accounts that others judge at the same time: what they did not see yet is looked at again.
_TRIES = 3
# Of more accounts than this everything of their user is voided at once.
_ACCOUNTS_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Clinic:
    """What a judgement needs, built once in service.py."""

    pool: Pool
    cache: CacheService
    rescue_after_s: float  # seconds past due after which a released publication counts as forgotten


async def rescore(clinic: Clinic, account_ids: Sequence[UUID]) -> int:
    """Judge accounts by all that is known of them now; store what follows, and let it take effect.

    Set-wise, in batches of 500, each a transaction of its own: scores, history, events, effects and alerts commit
    together. Judging twice is the same as judging once. Accounts that are gone are passed over, and so is one that
    cannot be judged: it keeps no other from it.

    Args:
        clinic: what a judgement needs.
        account_ids: of any tenants, in any order.

    Returns:
        How many were judged.
    """
    ordered = sorted(set(account_ids))
    judged = 0
    for start in range(0, len(ordered), _BATCH):
        judged += await _rescore_all(clinic, ordered[start : start + _BATCH])
    return judged


async def _rescore_all(clinic: Clinic, account_ids: Sequence[UUID]) -> int:
    """Judge a batch; if that fails, its halves, down to the account that is at fault."""
    try:
        return await _rescore_batch(clinic, account_ids)
    except DATABASE_AWAY:
        raise
    except Exception:
        if len(account_ids) == 1:
            log.exception("account.not_judged", account_id=str(account_ids[0]))
            return 0
    half = len(account_ids) // 2
    return await _rescore_all(clinic, account_ids[:half]) + await _rescore_all(clinic, account_ids[half:])


async def _rescore_batch(clinic: Clinic, account_ids: Sequence[UUID]) -> int:
    judged, left = 0, account_ids
    for _ in range(_TRIES):
        batch = _Batch(left, rescue_after_s=clinic.rescue_after_s)
        verdicts, left = await run_in_transaction(clinic.pool, batch.judge, idempotent=True)
        judged += len(verdicts)
        await _invalidate(clinic.cache, [verdict for verdict in verdicts if verdict.shown])
        for band, count in Counter(verdict.score.band for verdict in verdicts).items():
            metrics.health_scores_total.labels(band).inc(count)
        if not left:
            break
    else:
        # They were judged by others, each time; the rhythm of checks comes by again.
        log.info("scores.overtaken", accounts=len(left))
    return judged


class _Batch:
    """Accounts that are judged in one transaction."""

    def __init__(self, account_ids: Sequence[UUID], *, rescue_after_s: float) -> None:
        self._account_ids = account_ids
        self._rescue_after_s = rescue_after_s

    async def judge(self, tx: Connection) -> tuple[list[Verdict], list[UUID]]:
        """Judge them; answers what was found, and whom somebody else judged in the meantime."""
        verdicts = [judge(known) for known in await read_evidence(tx, self._account_ids)]
        if len(verdicts) < len(self._account_ids):
            await end_alerts(tx, await store.forget_removed(tx, self._account_ids))
        news = [verdict for verdict in verdicts if verdict.is_stored]
        # Accounts come before their scores, as for whoever removes one.
        await store.lock_accounts(tx, [verdict.known.account_id for verdict in news if verdict.takes_effect])
        written = await store.store_scores(tx, news)
        await self._follow(tx, [verdict for verdict in news if verdict.known.account_id in written])
        overtaken = {verdict.known.account_id for verdict in news} - written
        return [verdict for verdict in verdicts if verdict.known.account_id not in overtaken], sorted(overtaken)

    async def _follow(self, tx: Connection, verdicts: Sequence[Verdict]) -> None:
        """What comes of scores that were written: history, events, effects, alerts."""
        await store.store_history(tx, [verdict for verdict in verdicts if verdict.is_noted])
        await record_events(tx, [_event(verdict) for verdict in verdicts if verdict.is_event])
        judged = [
            Judged(user_id=one.known.user_id, account_id=one.known.account_id, band=one.score.band)
            for one in verdicts
            if one.takes_effect
        ]
        await apply_effects(tx, judged, rescue_after_s=self._rescue_after_s)
        await tell_of_bands(tx, verdicts)


def _event(verdict: Verdict) -> Event:
    score = verdict.score
    payload = {"score": score.score, "band": score.band, "gates": score.gates, "reasons": score.reasons}
    return Event(
        user_id=verdict.known.user_id,
        type="account.health_changed",
        subject=verdict.known.account_id,
        payload=payload,
    )


async def _invalidate(cache: CacheService, verdicts: Sequence[Verdict]) -> None:
    accounts = defaultdict[UUID, list[UUID]](list)
    for verdict in verdicts:
        accounts[verdict.known.user_id].append(verdict.known.account_id)
    for user_id, account_ids in accounts.items():
        if len(account_ids) > _ACCOUNTS_MAX:
            await cache.invalidate_user(user_id)
            continue
        for account_id in account_ids:
            await cache.invalidate_account(account_id, user_id=user_id)
