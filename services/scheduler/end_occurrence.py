"""How an occurrence ends: its row, and the event that tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec

from shared import metrics
from shared.database import Connection
from shared.outbox import Event
from shared.schedules import OccurrenceReason, occurred

_CONFLICTS_KEPT = 100
# The one of which an alert tells; the others begin with their first.
metrics.begin_at_zero(metrics.schedule_occurrences_total, ("failed", OccurrenceReason.GAVE_UP))

# By schedule_occurrences_pkey.
_END = """
    UPDATE schedule_occurrences
    SET state = $3, reason = $4, post_id = $5, distribution_id = $6, publications = $7, conflicts = $8::jsonb,
        conflict_count = $9, processed_at = now()
    WHERE user_id = $1 AND id = $2
    RETURNING id, user_id, schedule_id, local_date, slot, due_at, state, reason, post_id, distribution_id, publications,
              conflict_count
"""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """An account that is not in the distribution, and why."""

    account_id: UUID
    code: str  # account_not_publishable, duplicate_content, capacity_exceeded


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of an occurrence."""

    state: str  # distributed, skipped, failed
    reason: OccurrenceReason | None = None
    post_id: UUID | None = None
    distribution_id: UUID | None = None
    publications: int = 0
    conflicts: Sequence[Conflict] = ()


@dataclass(frozen=True, kw_only=True)
class PendingOccurrence:
    """An occurrence that waits for its publications; its row is locked."""

    id: UUID
    user_id: UUID
    schedule_id: UUID
    local_date: date
    slot: str
    due_at: datetime  # UTC
    now: datetime  # the database's


async def end_occurrence(tx: Connection, occurrence: PendingOccurrence, outcome: Outcome) -> Event:
    """Write what came of it; answers the event that is to be recorded."""
    conflicts = [
        {"account_id": str(conflict.account_id), "code": conflict.code}
        for conflict in outcome.conflicts[:_CONFLICTS_KEPT]
    ]
    [row] = await tx.fetch(
        _END,
        occurrence.user_id,
        occurrence.id,
        outcome.state,
        outcome.reason,
        outcome.post_id,
        outcome.distribution_id,
        outcome.publications,
        msgspec.json.encode(conflicts).decode(),
        len(outcome.conflicts),
    )
    return occurred(row)


def count(state: str, reason: str | None) -> None:
    """Count it, once it is committed."""
    metrics.schedule_occurrences_total.labels(state, reason or "").inc()
