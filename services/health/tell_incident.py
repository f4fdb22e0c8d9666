"""Who is told of an incident: the tenants whose accounts it hits, by an alert and by events."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.alerts import Alert, AlertCode, Severity, raise_alerts, resolve_alerts
from shared.database import Connection, Row
from shared.outbox import Event, record_events

_TEXT = "Many accounts get the same error at once ({error_class}); the platform is not called for a while."
_ADVICE = "Wait: it goes on by itself. If it stays, look at the app's own standing at Meta; no account is at fault."


async def tell_pause(tx: Connection, incident: Row, state: str, *, newly: Sequence[UUID]) -> None:
    """Tell of a pause of the app.

    Args:
        tx: the transaction that wrote it.
        incident: the row as it is now.
        state: `opened` or `paused_again`.
        newly: the tenants whose accounts were hit since the pause before.
    """
    await raise_alerts(tx, [_alert(incident, user_id) for user_id in newly])
    await record_events(tx, _events(incident, state))


async def tell_end(tx: Connection, incident: Row) -> None:
    """Tell that it is over, in the transaction that closed it."""
    await resolve_alerts(tx, AlertCode.APP_INCIDENT, [incident["id"]], user_id=incident["user_ids"])
    await record_events(tx, _events(incident, "closed"))


def _alert(incident: Row, user_id: UUID) -> Alert:
    return Alert(
        user_id=user_id,
        code=AlertCode.APP_INCIDENT,
        severity=Severity.CRITICAL,
        subject_type="incident",
        subject_id=incident["id"],
        text=_TEXT.format(error_class=incident["error_class"]),
        advice=_ADVICE,
        details={"error_class": incident["error_class"], "since": incident["opened_at"].isoformat()},
    )


def _events(incident: Row, state: str) -> list[Event]:
    told = {
        "error_class": incident["error_class"],
        "state": state,
        "since": incident["opened_at"].isoformat(),
        "paused_until": incident["paused_until"].isoformat(),
    }
    return [
        Event(user_id=user_id, type="swarm.incident", subject=incident["id"], payload=told)
        for user_id in incident["user_ids"]
    ]
