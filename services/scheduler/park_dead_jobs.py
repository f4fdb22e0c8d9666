"""Dead letters are moved from the broker to a table, with all they carry, where people can look at them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

import msgspec
import structlog
from aiormq.abc import DeliveredMessage

from shared.database import Pool
from shared.jobs import DEAD_QUEUE, Failure, JobPriority, OnMissing, Session, restore_topology, until_any

log = structlog.get_logger()
_PREFETCH = 200
_PAUSE_S = 1.0
_CALL_DEADLINE_S = 5.0
# The whole reason stands in the headers; this much of it in the column, which is part of an index.
_MOST_REASON_CHARS = 200
_MOST_ATTEMPT_DIGITS = 6
_CONTENT = UUID("8a3e6a52-4c5b-4d0b-9d8f-5d4f6f0c6d0e")
# They change from delivery to delivery and are none of the letter's.
_DELIVERY_COUNTS = ("x-delivery-count", "x-acquired-count")

# The id is the job's own, so that a letter that comes twice, or a job that came twice, makes one row. Once it was sent
# back its row is gone, and it may die anew.
_INSERT = """
    INSERT INTO dead_jobs (id, type, subject, reason, error, attempt, priority, failures, payload, headers)
    SELECT id, type, subject, reason, error, attempt, priority, failures::jsonb, payload, headers::jsonb
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::smallint[], $8::text[],
                $9::bytea[], $10::text[])
         AS letter (id, type, subject, reason, error, attempt, priority, failures, payload, headers)
    ON CONFLICT (id) DO NOTHING
    RETURNING type, reason
"""


async def park_dead_jobs(
    session: Session, *, pool: Pool, stop: asyncio.Event, on_missing: OnMissing | None = None
) -> None:
    """Park dead letters while the session lasts: all that have come, then all that came meanwhile."""
    await restore_topology(session.connection, on_missing=on_missing)
    await session.channel.set_qos(prefetch_count=_PREFETCH, timeout=_CALL_DEADLINE_S)
    letters: list[DeliveredMessage] = []
    arrived = asyncio.Event()

    async def take(letter: DeliveredMessage) -> None:
        letters.append(letter)
        arrived.set()

    await session.underlay.basic_consume(DEAD_QUEUE, take, timeout=_CALL_DEADLINE_S)
    while not (stop.is_set() or session.lost.is_set()):
        await until_any(arrived, stop, session.lost)
        if not arrived.is_set():
            return
        batch = letters.copy()
        if await _park(pool, batch):
            # All letters before the last one are of this batch, or were acknowledged with one before.
            await session.underlay.basic_ack(batch[-1].delivery_tag or 0, multiple=True)
            del letters[: len(batch)]
            if not letters:
                arrived.clear()
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(until_any(stop, session.lost), _PAUSE_S)


async def _park(pool: Pool, letters: Sequence[DeliveredMessage]) -> bool:
    """Insert the letters; False if that failed, and must be tried again: they are the last trace of their jobs."""
    columns = zip(*(_row(letter) for letter in letters), strict=True)
    try:
        parked = await pool.fetch(_INSERT, *(list(column) for column in columns))
    except Exception:
        log.exception("dead_jobs.not_parked", count=len(letters))
        return False
    for (type_, reason), count in Counter((row["type"], row["reason"]) for row in parked).items():
        log.error("dead_jobs.parked", type=type_, reason=reason, count=count)
    return True


def _row(letter: DeliveredMessage) -> tuple[object, ...]:
    properties = letter.header.properties
    headers = {
        _text(name): _text(value) for name, value in (properties.headers or {}).items() if name not in _DELIVERY_COUNTS
    }
    type_ = _text(letter.routing_key or "unreadable")
    id_ = _id(type_, headers, letter.body)
    attempt = headers.get("x-attempt", "1")
    failures = _failures(headers.get("x-failures"))
    if failures is not None:
        headers.pop("x-failures", None)
    return (
        id_,
        type_,
        headers.get("x-subject", ""),
        headers.get("x-dead-reason", "unknown")[:_MOST_REASON_CHARS],
        headers.get("x-dead-error"),
        int(attempt) if attempt.isdecimal() and len(attempt) <= _MOST_ATTEMPT_DIGITS else 1,
        _priority(properties.priority),
        json.dumps(failures or []),
        letter.body,
        json.dumps(headers),
    )


def _id(type_: str, headers: Mapping[str, str], body: bytes) -> UUID:
    try:
        return UUID(headers["x-job-id"])
    except (KeyError, ValueError):
        return uuid5(_CONTENT, repr((type_, sorted(headers.items()), body)))


def _failures(text: str | None) -> list[dict[str, Any]] | None:
    """The attempts as they are stored; None if they cannot be read, and stay in the headers."""
    try:
        failures = msgspec.json.decode(text or "[]", type=list[Failure])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return [
        {"attempt": failure.attempt, "at": failure.at.isoformat(), "error": _text(failure.error)}
        for failure in failures
    ]


def _priority(amqp: int | None) -> JobPriority:
    fits = amqp is not None and 1 <= amqp <= len(JobPriority)
    return JobPriority(len(JobPriority) + 1 - amqp) if amqp is not None and fits else JobPriority.NORMAL


def _text(value: object) -> str:
    """Whatever stands in a header, as text that PostgreSQL can hold."""
    return str(value).replace("\0", "").encode(errors="replace").decode()
