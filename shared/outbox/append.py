"""Writing to the outbox, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from shared.database import Connection

#: NOTIFY channel that wakes the relay.
CHANNEL = "instadistro_outbox"

# Only rows due soon are announced: the relay finds the rest by their due time, and a plan of 10,000 rows rings no bell.
_INSERT = """
    WITH added AS (
        INSERT INTO outbox (type, subject, exchange, routing_key, priority, payload, headers, due_at)
        SELECT type, subject, exchange, routing_key, priority, payload::jsonb, headers::jsonb,
               coalesce(due_at, now()) + due_in_ms * interval '1 millisecond'
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[],
                    $8::timestamptz[], $9::bigint[])
             AS m (type, subject, exchange, routing_key, priority, payload, headers, due_at, due_in_ms)
        ON CONFLICT (type, subject) {on_conflict}
        RETURNING due_at
    )
    SELECT count(*) AS added,
           count(pg_notify('instadistro_outbox', '')) FILTER (WHERE due_at <= now() + interval '5 seconds')
    FROM added
"""
_APPEND = _INSERT.format(on_conflict="DO NOTHING")
_REPLACE = _INSERT.format(
    on_conflict="""DO UPDATE SET
        exchange = excluded.exchange, routing_key = excluded.routing_key, priority = excluded.priority,
        payload = excluded.payload, headers = excluded.headers, due_at = excluded.due_at"""
)
# The row is locked, and so waited for, whatever the WHERE says of it.
_PUT_BACK = _INSERT.format(
    on_conflict="""DO UPDATE SET
        priority = excluded.priority, headers = excluded.headers, due_at = excluded.due_at
        WHERE outbox.headers ->> 'x-job-id' = excluded.headers ->> 'x-job-id'"""
)

# Locked in the order in which writers write.
_WITHDRAW = """
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox
        WHERE type = $1 AND subject = ANY($2::text[])
        ORDER BY subject
        FOR UPDATE
    )
    RETURNING id
"""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What the relay will publish."""

    type: str  # what it is; with `subject` it is unique among unsent rows
    subject: str  # what it is about, as text: an id
    exchange: str
    routing_key: str
    priority: int  # 1 (first) to 5
    payload: bytes  # JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    due_at: datetime | None = None  # aware; None means now, by the database's clock
    due_in_ms: int = 0  # added to it


async def append(tx: Connection, messages: Sequence[Message]) -> int:
    """Add messages; one whose (type, subject) waits already is left as it is.

    Returns:
        How many were added.
    """
    return await _write(tx, _APPEND, messages)


async def replace(tx: Connection, messages: Sequence[Message]) -> int:
    """Add messages; one whose (type, subject) waits already takes the new content and due time.

    Unlike `append` it waits for a relay that holds the waiting row at this moment, and so never loses the new message
    to a row that is about to be deleted as sent.

    Returns:
        How many were written.
    """
    return await _write(tx, _REPLACE, messages)


async def put_back(tx: Connection, messages: Sequence[Message]) -> int:
    """Add messages that were sent once and must come again; another one that waits under their name is left as it is.

    What waits there was written later and speaks for the same subject, so it stands for both. Like `replace` it waits
    for a relay that holds the waiting row. Messages are told apart by their header `x-job-id`.

    Returns:
        How many were written.
    """
    return await _write(tx, _PUT_BACK, messages)


async def withdraw(tx: Connection, *, type_: str, subjects: Sequence[str]) -> int:
    """Delete unsent messages. A message the relay has sent already is beyond this.

    Returns:
        How many were deleted.
    """
    rows = await tx.fetch(_WITHDRAW, type_, list(subjects))
    return len(rows)


async def _write(tx: Connection, statement: str, messages: Sequence[Message]) -> int:
    if not messages:
        return 0
    # One order for all writers, so that two of them never wait for each other.
    ordered = sorted(messages, key=lambda message: (message.type, message.subject))
    row = await tx.fetchrow(
        statement,
        [message.type for message in ordered],
        [message.subject for message in ordered],
        [message.exchange for message in ordered],
        [message.routing_key for message in ordered],
        [message.priority for message in ordered],
        [message.payload.decode() for message in ordered],
        [msgspec.json.encode(dict(message.headers)).decode() for message in ordered],
        [message.due_at for message in ordered],
        [message.due_in_ms for message in ordered],
    )
    return int(row["added"]) if row is not None else 0
