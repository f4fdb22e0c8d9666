"""`webhook:deliver`: one try to send one delivery. The row says whether there is still something to do."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from services.scheduler.call_receiver import Receivers, Reply
from shared import metrics
from shared.database import Connection, Pool, Row
from shared.jobs import Again, Dead, DeliverWebhook, Job, Transient
from shared.security import SealedToken, TokenCipher, TokenUnreadableError, sign_webhook
from shared.webhooks import PREVIOUS_SECRET_COLUMN, SECRET_COLUMN, WebhookEnd, disable_webhook

_GONE = 410
#: Calls at a time, in this process. They mostly wait: for receivers that hang up to 15 s each. One of those holds one
#: place once it has failed, and one tenant's all together a quarter, so that others' events go out meanwhile.
CALLS = 48
_CALLS_OF_TENANT = CALLS // 4
_CALLS_OF_WEBHOOK = 4
_CALLS_WHILE_FAILING = 1
# Steps of the broker's ladder.
_BUSY_MS = (2_000, 4_000, 5_000, 8_000, 10_000)
_BUSY_WHILE_FAILING_MS = (40_000, 60_000, 80_000)

# By webhook_deliveries_pkey.
_READ = """
    SELECT d.id, d.user_id, d.webhook_id, d.event_id, d.payload, d.attempts, w.url, w.state AS webhook_state,
           w.failing_since IS NOT NULL AS fails, w.key_id, w.sealed, w.previous_key_id, w.previous_sealed,
           coalesce(w.previous_until > now(), false) AS both
    FROM webhook_deliveries AS d
    JOIN webhooks AS w ON w.user_id = d.user_id AND w.id = d.webhook_id
    WHERE d.user_id = $1 AND d.id = $2 AND d.state = 'pending'
"""
# The webhook's row is always written before its deliveries': who removes one locks in that order.
_WORKS = "UPDATE webhooks SET failing_since = NULL WHERE user_id = $1 AND id = $2 AND failing_since IS NOT NULL"
_FAILS = """
    UPDATE webhooks SET failing_since = coalesce(failing_since, now())
    WHERE user_id = $1 AND id = $2
    RETURNING failing_since < now() - interval '3 days'
"""
_DELIVERED = """
    UPDATE webhook_deliveries
    SET state = 'delivered', attempts = attempts + 1, status = $3, error = NULL, latency_ms = $4, attempted_at = now(),
        delivered_at = now(), next_attempt_at = NULL
    WHERE user_id = $1 AND id = $2 AND state = 'pending'
"""
_FAILED = """
    UPDATE webhook_deliveries
    SET state = CASE WHEN $6::float8 IS NULL THEN 'failed' ELSE 'pending' END, attempts = attempts + 1, status = $3,
        error = $4, latency_ms = $5, attempted_at = now(), next_attempt_at = now() + $6::float8 * interval '1 second'
    WHERE user_id = $1 AND id = $2 AND state = 'pending'
"""
# It has a job, and waits for a place: nobody is to think that the job was lost.
_WAITS = """
    UPDATE webhook_deliveries SET next_attempt_at = now()
    WHERE user_id = $1 AND id = $2 AND state = 'pending' AND next_attempt_at + interval '5 minutes' < now()
"""
_END = """
    UPDATE webhook_deliveries SET state = 'failed', error = $3, next_attempt_at = NULL
    WHERE user_id = $1 AND id = $2 AND state = 'pending'
"""


@dataclass(frozen=True, kw_only=True)
class Courier:
    """What deliveries are made with."""

    pool: Pool
    cipher: TokenCipher
    receivers: Receivers
    _calls: dict[UUID, Counter[UUID]] = field(default_factory=dict)  # that run now: of each tenant, by webhook

    @contextmanager
    def place(self, webhook_id: UUID, *, user_id: UUID, fails: bool) -> Iterator[bool]:
        """Room for one call; False if there is none now."""
        calls = self._calls.setdefault(user_id, Counter())
        is_free = (
            calls[webhook_id] < (_CALLS_WHILE_FAILING if fails else _CALLS_OF_WEBHOOK)
            and calls.total() < _CALLS_OF_TENANT
            and sum(each.total() for each in self._calls.values()) < CALLS
        )
        calls[webhook_id] += is_free
        try:
            yield is_free
        finally:
            calls[webhook_id] -= is_free
            if not calls.total():
                self._calls.pop(user_id, None)


async def deliver_webhook(courier: Courier, job: Job, payload: DeliverWebhook) -> Again | None:
    """Send a delivery to its receiver.

    Raises:
        Transient: it was not taken; the engine tries again.
    """
    row = await courier.pool.fetchrow(_READ, payload.user_id, payload.delivery_id)
    if row is None:
        return None  # delivered, given up, or removed
    if row["webhook_state"] != "enabled":
        await _end(courier.pool, payload, "The webhook is disabled.")
        return None
    with courier.place(row["webhook_id"], user_id=row["user_id"], fails=row["fails"]) as is_free:
        if not is_free:
            metrics.webhook_deliveries_total.labels("busy").inc()
            await courier.pool.execute(_WAITS, row["user_id"], row["id"])
            steps = _BUSY_WHILE_FAILING_MS if row["fails"] else _BUSY_MS
            return Again(delay_ms=random.choice(steps))  # noqa: S311 - jitter, no secret
        reply = await _call(courier, row)
    await _settle(courier.pool, job, row, reply)
    return None


async def end_parked_delivery(pool: Pool, _job: Job, payload: DeliverWebhook, dead: Dead) -> Again | None:
    """Its job is given up by the engine, and so is it."""
    await _end(pool, payload, f"It was given up: {dead.reason}.")
    return None


async def _call(courier: Courier, row: Row) -> Reply:
    try:
        keys = _keys(courier.cipher, row)
    except TokenUnreadableError:
        return Reply(latency_ms=0, error="The signing secret cannot be read any more. Rotate it.")
    message_id, sent_at = str(row["event_id"]), int(time.time())
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": sign_webhook(keys, message_id=message_id, sent_at=sent_at, body=row["payload"]),
    }
    reply = await courier.receivers.call(row["url"], row["payload"], headers=headers)
    metrics.webhook_seconds.observe(reply.latency_ms / 1000)
    return reply


def _keys(cipher: TokenCipher, row: Row) -> list[str]:
    """The secrets that sign: the current one, and for a day the one before."""
    stored = [(SECRET_COLUMN, row["key_id"], row["sealed"])]
    if row["both"] and row["previous_sealed"] is not None:
        stored.append((PREVIOUS_SECRET_COLUMN, row["previous_key_id"], row["previous_sealed"]))
    return [
        cipher.decrypt(
            SealedToken(key_id=key_id, ciphertext=sealed),
            user_id=row["user_id"],
            row_id=row["webhook_id"],
            column=column,
        )
        for column, key_id, sealed in stored
    ]


async def _settle(pool: Pool, job: Job, row: Row, reply: Reply) -> None:
    """Write what came of a try.

    Raises:
        Transient: there is another one.
    """
    attempt = row["attempts"] + 1
    delay_s = None if _is_last(job, attempt, reply) else _delay_s(job, attempt, reply)
    async with pool.acquire() as connection, connection.transaction():
        if reply.error is None:
            await _write_success(connection, row, reply)
        else:
            await _write_failure(connection, row, reply, delay_s=delay_s)
    metrics.webhook_deliveries_total.labels(_outcome(reply, delay_s)).inc()
    if reply.error is not None and delay_s is not None:
        raise Transient(reply.error, retry_after_s=delay_s)


async def _write_success(tx: Connection, row: Row, reply: Reply) -> None:
    await tx.execute(_WORKS, row["user_id"], row["webhook_id"])
    await tx.execute(_DELIVERED, row["user_id"], row["id"], reply.status, reply.latency_ms)


async def _write_failure(tx: Connection, row: Row, reply: Reply, *, delay_s: float | None) -> None:
    user_id, webhook_id = row["user_id"], row["webhook_id"]
    for_days = await tx.fetchval(_FAILS, user_id, webhook_id)
    await tx.execute(_FAILED, user_id, row["id"], reply.status, reply.error, reply.latency_ms, delay_s)
    if reply.status == _GONE:
        await disable_webhook(tx, webhook_id, user_id=user_id, reason=WebhookEnd.GONE)
    elif for_days:
        await disable_webhook(tx, webhook_id, user_id=user_id, reason=WebhookEnd.FAILING)


def _is_last(job: Job, attempt: int, reply: Reply) -> bool:
    return reply.status == _GONE or attempt >= job.options.attempts


def _delay_s(job: Job, attempt: int, reply: Reply) -> float:
    # The row's count, not the job's: a job that was lost with the broker begins to count anew.
    return max(job.options.retry_delay_ms(attempt) / 1000, reply.retry_after_s or 0)


def _outcome(reply: Reply, delay_s: float | None) -> str:
    if reply.error is None:
        return "delivered"
    if reply.status == _GONE:
        return "gone"
    return "failed" if delay_s is None else "retried"


async def _end(pool: Pool, payload: DeliverWebhook, error: str) -> None:
    await pool.execute(_END, payload.user_id, payload.delivery_id, error)
