"""`analytics:process`: take the numbers of one account and of what it published, as far as they are due.

The row says when the next run comes, so a run that cannot go on ends: what it took is kept, and nothing is taken twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from services.health.ask_numbers import Question, StopError, ask, questions
from services.health.due_numbers import Subject, read_due_media, read_subject
from services.health.snapshots import plan_next, postpone, refuse_insights, store_snapshot
from shared import metrics
from shared.accounts import open_account
from shared.database import Pool
from shared.instagram import GraphAccount, GraphClient, PlatformGate
from shared.jobs import CollectAnalytics, Job
from shared.security import TokenCipher, TokenUnreadableError

log = structlog.get_logger()

_MEDIA_MOST = 25
_REST_IN_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Collection:
    """What collecting needs, built once in service.py."""

    pool: Pool
    graph: GraphClient
    gate: PlatformGate  # who may call the platform now; it watches `graph`
    cipher: TokenCipher


async def collect_analytics(collection: Collection, _job: Job, payload: CollectAnalytics) -> None:
    """Ask for the numbers that are due, keep each answer at once, and say when to come back."""
    pool = collection.pool
    async with pool.acquire() as connection:
        subject = await read_subject(connection, payload)
        if subject is None:
            log.info("analytics.not_wanted")
            return
        due = await read_due_media(connection, payload, limit=_MEDIA_MOST) if subject.may_read_insights else []
    try:
        account = open_account(subject.row, collection.cipher, user_id=payload.user_id, account_id=payload.account_id)
    except TokenUnreadableError as error:
        # The operator's key ring is at fault: the sweep comes again.
        log.error("token.unreadable", error=str(error))
        return
    stop = await _ask_all(collection, account, payload, questions(collection.graph, account, subject, due))
    if stop is not None:
        log.info("analytics.stopped", outcome=stop.outcome)
    await _come_back(collection, payload, subject, stop, full=len(due) == _MEDIA_MOST)


async def _ask_all(
    collection: Collection, account: GraphAccount, payload: CollectAnalytics, asked: Iterable[Question]
) -> StopError | None:
    for question in asked:
        source = question.snapshot.source
        try:
            snapshot = await ask(collection.gate, account, question)
        except StopError as stop:
            metrics.analytics_snapshots_total.labels(source, stop.outcome).inc()
            return stop
        async with collection.pool.acquire() as connection:
            await store_snapshot(connection, payload, snapshot)
        known = any(number is not None for number in snapshot.metrics.values())
        metrics.analytics_snapshots_total.labels(source, "stored" if known else "absent").inc()
    return None


async def _come_back(
    collection: Collection, payload: CollectAnalytics, subject: Subject, stop: StopError | None, *, full: bool
) -> None:
    refused = stop is not None and stop.insights_refused
    delay_s = stop.delay_s if stop is not None else _REST_IN_S if full else None
    async with collection.pool.acquire() as connection:
        if refused:
            await refuse_insights(connection, payload, token_since=subject.token_since)
        if delay_s is not None:
            await postpone(connection, payload, delay_s=delay_s)
        else:
            await plan_next(connection, payload, insights=subject.may_read_insights and not refused)
