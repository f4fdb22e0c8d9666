"""Dead letters are moved from the broker to a table, with reason and last error, where people can look at them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from functools import partial

import structlog
from aio_pika.abc import AbstractIncomingMessage
from uuid_utils.compat import uuid7

from shared.database import Pool
from shared.jobs import BROKER_ERRORS, DEAD_QUEUE, OnMissing, Session, restore_topology, until_any

log = structlog.get_logger()
_PREFETCH = 20
_PAUSE_S = 1.0
_CALL_DEADLINE_S = 5.0
_MOST_CHARS = 4_000

_INSERT = """
    INSERT INTO dead_jobs (id, type, subject, reason, error, attempt, payload, headers)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)
"""


async def park_dead_jobs(
    session: Session, *, pool: Pool, stop: asyncio.Event, on_missing: OnMissing | None = None
) -> None:
    """Park dead letters while the session lasts."""
    await restore_topology(session.connection, on_missing=on_missing)
    await session.channel.set_qos(prefetch_count=_PREFETCH, timeout=_CALL_DEADLINE_S)
    queue = await session.channel.get_queue(DEAD_QUEUE, ensure=False)
    await queue.consume(partial(_park, pool), timeout=_CALL_DEADLINE_S)
    await until_any(stop, session.lost)


async def _park(pool: Pool, message: AbstractIncomingMessage) -> None:
    headers = {name: _text(value) for name, value in message.headers.items() if name.startswith("x-")}
    headers.pop("x-death", None)
    attempt = headers.get("x-attempt", "1")
    try:
        await pool.execute(
            _INSERT,
            uuid7(),
            _text(message.routing_key or "unreadable"),
            headers.get("x-subject", ""),
            headers.get("x-dead-reason", "unknown"),
            headers.get("x-dead-error"),
            int(attempt) if attempt.isdecimal() else 1,
            message.body,
            json.dumps(headers),
        )
    except Exception:
        # Back into the queue: a dead letter is the last trace of a job, and a database that is away comes back.
        log.exception("dead_job.not_parked")
        await asyncio.sleep(_PAUSE_S)
        with contextlib.suppress(*BROKER_ERRORS):
            await message.nack(requeue=True)
        return
    log.error("dead_job.parked", type=message.routing_key, reason=headers.get("x-dead-reason"))
    with contextlib.suppress(*BROKER_ERRORS):
        await message.ack()


def _text(value: object) -> str:
    """Whatever stands in a header, as text that PostgreSQL can hold."""
    return str(value).replace("\0", "")[:_MOST_CHARS]
