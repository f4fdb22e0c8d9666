"""Fan-out: each webhook reads on where it stands; deliveries and its new place are written in one transaction.

So every event is made one delivery of exactly once, whatever dies, and however many schedulers run.
"""

from __future__ import annotations

from uuid import UUID

from shared.database import Connection, Pool, Row
from shared.outbox import StoredEvent, is_wanted
from shared.webhooks import NewDelivery, add_deliveries, message_body

_WEBHOOKS = 50
_EVENTS = 100
# So many may wait for their first try. A receiver that is slow or away holds its own events back, and nobody else's.
_FRESH_MAX = 100

# Webhooks are few, and each asks events_stream whether there is more. By chance, so that none that is far behind comes
# first again and again.
_TAKE = """
    WITH taken AS MATERIALIZED (
        SELECT id, user_id, events, position_tx, position_seq
        FROM webhooks
        WHERE state = 'enabled'
          AND (SELECT true
               FROM events
               WHERE events.user_id = webhooks.user_id
                 AND (tx, seq) > (position_tx, position_seq)
                 AND tx < pg_snapshot_xmin(pg_current_snapshot())
               LIMIT 1)
          AND (SELECT count(*)
               FROM webhook_deliveries
               WHERE webhook_id = webhooks.id AND state = 'pending' AND attempts = 0) < $1
        ORDER BY random()
        LIMIT $2
        FOR NO KEY UPDATE SKIP LOCKED
    )
    SELECT taken.id AS webhook_id, taken.user_id, taken.events AS patterns, next.*
    FROM taken
    CROSS JOIN LATERAL (
        SELECT tx::text AS tx, seq, id, type, subject, payload, created_at
        FROM events
        WHERE events.user_id = taken.user_id
          AND (events.tx, seq) > (taken.position_tx, taken.position_seq)
          AND events.tx < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY events.tx, seq
        LIMIT $3
    ) AS next
"""
_MOVE = """
    UPDATE webhooks SET position_tx = moved.tx::xid8, position_seq = moved.seq
    FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS moved (id, tx, seq)
    WHERE webhooks.id = moved.id
"""
# After a restore a webhook may stand where this cluster's transactions will be in years.
_BRING_BACK = """
    UPDATE webhooks SET position_tx = pg_current_xact_id(), position_seq = 0
    WHERE position_tx > pg_snapshot_xmax(pg_current_snapshot())
"""


async def bring_back_positions(pool: Pool) -> None:
    """Let no webhook stand ahead of everything that happens. Once, at the start."""
    await pool.execute(_BRING_BACK)


async def fan_out_once(pool: Pool) -> float | None:
    """One sweep. Returns 0 if there may be more, None for the usual rhythm."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_TAKE, _FRESH_MAX, _WEBHOOKS, _EVENTS)
        await add_deliveries(connection, [found for row in rows if (found := _delivery(row)) is not None])
        by_webhook: dict[UUID, list[Row]] = {}
        for row in rows:
            by_webhook.setdefault(row["webhook_id"], []).append(row)
        await _move(connection, [rows[-1] for rows in by_webhook.values()])
    is_full = len(by_webhook) == _WEBHOOKS or any(len(rows) == _EVENTS for rows in by_webhook.values())
    return 0.0 if is_full else None


async def _move(tx: Connection, last: list[Row]) -> None:
    if last:
        places = [row["webhook_id"] for row in last], [row["tx"] for row in last], [row["seq"] for row in last]
        await tx.execute(_MOVE, *places)


def _delivery(row: Row) -> NewDelivery | None:
    """What a webhook is to get of an event; None if it did not ask for it."""
    if not is_wanted(row["type"], row["patterns"]):
        return None
    event = StoredEvent.from_row(row)
    body = message_body(
        event.id, event_type=event.type, created_at=event.created_at, subject=event.subject, data=event.payload
    )
    return NewDelivery(
        user_id=row["user_id"], webhook_id=row["webhook_id"], event_id=event.id, event_type=event.type, body=body
    )
