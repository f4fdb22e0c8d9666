"""Events that change what is known of an account have it judged within a second.

All replicas share one durable queue. What is announced while nobody listens waits there; what the broker loses, the
rhythm of checks makes good.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from functools import partial

import structlog
from aio_pika import ExchangeType
from aiormq.abc import DeliveredMessage

from services.health.announcements import Delivered, Gathered, read_announcement
from services.health.rescore import Clinic, rescore
from shared import metrics
from shared.database import DATABASE_AWAY
from shared.jobs import Session, keep_session, until_any
from shared.outbox import EVENTS

log = structlog.get_logger()

QUEUE = "events.health.v1"
#: What changes the evidence. What an account's score itself brings about is not among them.
REACTS_TO = (
    "account.changed",
    "account.connected",
    "account.disconnected",
    "account.reauth_required",
    "account.restricted",
    "account.resumed",
    "account.token_refreshed",
    # Refused tries end so, too.
    "publication.deferred",
    "publication.failed",
    "publication.held",
    "publication.outcome_unknown",
    "publication.published",
)

_DEADLINE_S = 5.0
# Beyond that the oldest are dropped: their accounts are judged by the rhythm of checks.
_WAITING_MAX = 100_000
_BATCH = 500
_GATHER_S = 0.25


async def react_to_events(clinic: Clinic, urls: Sequence[str], stop: asyncio.Event) -> None:
    """Judge the accounts that events tell of, until told to stop. A session that is lost or deaf is made anew."""
    await keep_session(urls, name="health-events", stop=stop, use=partial(_react, clinic=clinic, stop=stop))


async def _react(session: Session, *, clinic: Clinic, stop: asyncio.Event) -> None:
    waiting: asyncio.Queue[Delivered] = asyncio.Queue()

    async def take(message: DeliveredMessage) -> None:
        waiting.put_nowait(Delivered(tag=message.delivery_tag or 0, told=read_announcement(message.body)))

    await _declare(session)
    # No more than one batch waits in this process; the rest is for other replicas.
    await session.underlay.basic_qos(prefetch_count=_BATCH, timeout=_DEADLINE_S)
    await session.underlay.basic_consume(QUEUE, take, timeout=_DEADLINE_S)
    judging = asyncio.create_task(_judge_all(session, waiting, clinic))
    try:
        await until_any(stop, session.lost, tasks=[judging])
    finally:
        # What was not acknowledged is delivered again, to whoever listens then.
        judging.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await judging


async def _declare(session: Session) -> None:
    exchange = await session.channel.declare_exchange(EVENTS, ExchangeType.TOPIC, durable=True, timeout=_DEADLINE_S)
    queue = await session.channel.declare_queue(
        QUEUE,
        durable=True,
        arguments={"x-max-length": _WAITING_MAX, "x-overflow": "drop-head", "x-queue-mode": "lazy"},
        timeout=_DEADLINE_S,
    )
    for event_type in REACTS_TO:
        await queue.bind(exchange, event_type, timeout=_DEADLINE_S)


async def _judge_all(session: Session, waiting: asyncio.Queue[Delivered], clinic: Clinic) -> None:
    while True:
        gathered = await _gather(waiting)
        await _judge(clinic, gathered)
        await session.underlay.basic_ack(gathered.tag, multiple=True)


async def _gather(waiting: asyncio.Queue[Delivered]) -> Gathered:
    """What comes within a quarter of a second of the first, or a batch."""
    gathered = Gathered()
    gathered.add(await waiting.get())
    taken = 1
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GATHER_S):
            while taken < _BATCH:
                gathered.add(await waiting.get())
                taken += 1
    return gathered


async def _judge(clinic: Clinic, gathered: Gathered) -> None:
    if not gathered.account_ids:
        return
    began = time.monotonic()
    try:
        await rescore(clinic, list(gathered.account_ids))
    except DATABASE_AWAY:
        raise
    except Exception:
        # The same again would fail again, and keep all others waiting; the rhythm of checks comes by.
        log.exception("scores.failed", accounts=len(gathered.account_ids))
        return
    took_s = time.monotonic() - began
    metrics.health_reaction_accounts.observe(len(gathered.account_ids))
    for age_s in gathered.ages_s:
        metrics.health_reaction_seconds.observe(age_s + took_s)
