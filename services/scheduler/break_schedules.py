"""Stopping schedules that cannot go on: paused with what is wrong, and an alert, until a person has mended them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from shared.alerts import Alert, AlertCode, Severity, raise_alerts
from shared.database import Connection
from shared.outbox import Event, record_events

log = structlog.get_logger()

# By schedules_pkey.
_PAUSE = """
    UPDATE schedules
    SET paused_at = now(), error = broken.error, updated_at = now()
    FROM unnest($1::uuid[], $2::text[]) AS broken (id, error)
    WHERE schedules.id = broken.id
"""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A schedule that cannot go on."""

    schedule_id: UUID
    user_id: UUID
    name: str
    error: str  # what is wrong and what to do, in sentences


async def break_schedules(tx: Connection, broken: Sequence[Broken]) -> None:
    """Pause these schedules, whose rows are locked, and tell of it."""
    if not broken:
        return
    await tx.execute(_PAUSE, [each.schedule_id for each in broken], [each.error for each in broken])
    await raise_alerts(tx, [alert_of(each) for each in broken])
    await record_events(
        tx,
        [
            Event(
                user_id=each.user_id,
                type="schedule.changed",
                subject=each.schedule_id,
                payload={"action": "schedule.stopped", "error": each.error},
            )
            for each in broken
        ],
    )
    for each in broken:
        log.error("schedule.broken", schedule_id=str(each.schedule_id), error=each.error)


def alert_of(broken: Broken) -> Alert:
    """The alert that tells of it."""
    return Alert(
        user_id=broken.user_id,
        code=AlertCode.SCHEDULE_BROKEN,
        severity=Severity.CRITICAL,
        subject_type="schedule",
        subject_id=broken.schedule_id,
        text=f"The schedule {broken.name!r} publishes nothing: {broken.error}",
        advice="Mend the schedule, then resume it.",
    )
