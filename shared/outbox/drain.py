"""Sending from the outbox: claim due rows, publish them, delete what the broker confirmed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from shared.database import Connection, Pool, Row
from shared.kill_points import kill_point

# Level by level, each by its own index range, so that a critical row never waits behind 100,000 others; SKIP LOCKED
# lets any number of relays work side by side.
_CLAIM = """
    SELECT o.id, o.type, o.exchange, o.routing_key, o.priority, o.payload, o.headers, o.due_at
    FROM generate_series(1, 5) AS level (priority)
    CROSS JOIN LATERAL (
        SELECT * FROM outbox
        WHERE outbox.priority = level.priority AND outbox.due_at <= now() AND outbox.id <> ALL($2::bigint[])
        ORDER BY outbox.due_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    ) AS o
    LIMIT $1
"""
_DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
_PUT_OFF = "UPDATE outbox SET due_at = now() + $2::float8 * interval '1 second' WHERE id = ANY($1::bigint[])"
_NEXT_DUE = """
    SELECT extract(epoch FROM min(first.due_at) - now())::float8
    FROM generate_series(1, 5) AS level (priority)
    CROSS JOIN LATERAL (
        SELECT due_at FROM outbox WHERE outbox.priority = level.priority ORDER BY due_at LIMIT 1
    ) AS first
"""


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One claimed row, ready to be published."""

    id: int
    type: str
    exchange: str
    routing_key: str
    priority: int
    body: bytes
    headers: Mapping[str, str]
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class Drained:
    """What one sweep did."""

    sent: int  # confirmed and deleted
    refused: int  # claimed but not confirmed: they stay
    next_due_s: float | None  # seconds to the next row, 0 or less if one is due; None if the outbox is empty


#: Publishes rows and answers the ids of those that the broker confirmed, within a deadline of its own.
Send: TypeAlias = Callable[[Sequence[Outgoing]], Awaitable[set[int]]]


async def drain_once(pool: Pool, send: Send, *, batch: int) -> Drained:
    """Send up to `batch` due rows, most urgent first.

    The rows stay locked while they are sent, so no other relay sends them too. If this process dies between confirm and
    commit they are sent again: every message of this system may come twice.

    Args:
        pool: the database.
        send: publishes the rows.
        batch: most rows in one transaction.
    """
    async with pool.acquire() as connection, connection.transaction():
        rows = [_outgoing(row) for row in await connection.fetch(_CLAIM, batch, [])]
        confirmed = await send(rows) if rows else set()
        if confirmed:
            kill_point("relay.confirmed")
            await connection.execute(_DELETE, list(confirmed))
        next_due_s = await next_due(connection)
    return Drained(sent=len(confirmed), refused=len(rows) - len(confirmed), next_due_s=next_due_s)


async def sift_once(pool: Pool, send: Send, *, limit: int, within_s: float, put_off_s: float) -> int:
    """Send due rows one by one, after a batch that was refused: one of them may have spoiled the rest.

    A row that is refused by itself while others are taken is put off, so that it stands in nobody's way. Where nothing
    is taken the broker is to blame, and everything stays due.

    Args:
        pool: the database.
        send: publishes the rows.
        limit: most rows.
        within_s: no row is begun later.
        put_off_s: for how long.

    Returns:
        How many were put off.
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + within_s
    refused: list[int] = []
    sent = 0
    while sent + len(refused) < limit and loop.time() < ends_at:
        async with pool.acquire() as connection, connection.transaction():
            rows = [_outgoing(row) for row in await connection.fetch(_CLAIM, 1, refused)]
            if not rows:
                break
            if await send(rows):
                await connection.execute(_DELETE, [rows[0].id])
                sent += 1
            else:
                refused.append(rows[0].id)
    if not sent or not refused:
        return 0
    await pool.execute(_PUT_OFF, refused, put_off_s)
    return len(refused)


async def next_due(connection: Connection) -> float | None:
    """Seconds until the next row is due, by the database's clock; None if the outbox is empty."""
    value: float | None = await connection.fetchval(_NEXT_DUE)
    return value


def _outgoing(row: Row) -> Outgoing:
    return Outgoing(
        id=row["id"],
        type=row["type"],
        exchange=row["exchange"],
        routing_key=row["routing_key"],
        priority=row["priority"],
        body=row["payload"].encode(),
        headers=json.loads(row["headers"]),
        due_at=row["due_at"],
    )
