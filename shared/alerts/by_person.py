"""What a person says of an alert: seen, or done with."""

from __future__ import annotations

from uuid import UUID

from shared.alerts.alert import event_of
from shared.database import Connection, Row
from shared.outbox import record_events

_ACKNOWLEDGE = """
    UPDATE alerts
    SET state = 'acknowledged', acknowledged_at = now(), acknowledged_by = $3
    WHERE user_id = $1 AND id = $2 AND state = 'open'
    RETURNING *
"""
_RESOLVE_ONE = """
    UPDATE alerts
    SET state = 'resolved', resolved_at = now(), resolved_by = $3
    WHERE user_id = $1 AND id = $2 AND state <> 'resolved'
    RETURNING *
"""


async def acknowledge_alert(tx: Connection, alert_id: UUID, *, user_id: UUID, by: str) -> Row | None:
    """Say that somebody has seen it and is at it.

    Args:
        tx: the caller's transaction.
        alert_id: the alert.
        user_id: its tenant.
        by: the key of the person.

    Returns:
        The row as it is now; None if it was not open: nothing was written.
    """
    return await _say(tx, _ACKNOWLEDGE, "alert.acknowledged", alert_id, user_id=user_id, by=by)


async def resolve_alert(tx: Connection, alert_id: UUID, *, user_id: UUID, by: str) -> Row | None:
    """Say that it is done with. If what it tells of is still so, another is opened when that is seen next.

    Args:
        tx: the caller's transaction.
        alert_id: the alert.
        user_id: its tenant.
        by: the key of the person.

    Returns:
        The row as it is now; None if it was not live: nothing was written.
    """
    return await _say(tx, _RESOLVE_ONE, "alert.resolved", alert_id, user_id=user_id, by=by)


async def _say(
    tx: Connection, statement: str, event_type: str, alert_id: UUID, *, user_id: UUID, by: str
) -> Row | None:
    row = await tx.fetchrow(statement, user_id, alert_id, by)
    if row is not None:
        await record_events(tx, [event_of(row, event_type)])
    return row
