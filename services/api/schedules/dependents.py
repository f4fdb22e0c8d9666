"""The schedules that need what is being removed: they are told, or stopped if that is wished.

Call `lock_dependents` before the thing itself is locked, which is the order of all who lock both, and once more after
it: a schedule that was made in between is there then, and none can be made any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from services.api.http import Fault
from shared.database import Connection
from shared.outbox import Event, record_events

_EXAMPLES = 5
# Those that have ended are locked too: they lose a group or a queue with the row of it.
_LOCK_DEPENDENTS = """
    SELECT id, paused_at IS NOT NULL OR next_at IS NOT NULL AS may_be_due
    FROM schedules
    WHERE user_id = $1 AND removed_at IS NULL
      AND (account_id = $2 OR group_id = $2 OR post_id = $2 OR post_queue_id = $2)
    ORDER BY id
    FOR NO KEY UPDATE
"""
_BREAK = """
    UPDATE schedules
    SET paused_at = coalesce(paused_at, now()), error = $3, updated_at = now()
    WHERE user_id = $1 AND id = ANY($2::uuid[])
"""


class Lost(StrEnum):
    """What was removed that a schedule needs, as its `error` tells it."""

    ACCOUNT = "its account was removed; give it another account or a group."
    GROUP = "its group was removed; give it another group or an account."
    POST = "its post was removed; give it another post or a queue."
    POST_QUEUE = "its post queue was removed; give it a post or another queue."


async def lock_dependents(tx: Connection, needed_id: UUID, *, user_id: UUID) -> list[UUID]:
    """Hold the schedules that name this account, group, post or post queue; answers those that may be due again."""
    rows = await tx.fetch(_LOCK_DEPENDENTS, user_id, needed_id)
    return [row["id"] for row in rows if row["may_be_due"]]


def schedule_faults(schedule_ids: Sequence[UUID]) -> list[Fault]:
    """The faults of a removal that these schedules stand against: the first of them, each with how many there are."""
    use = f"{len(schedule_ids):,} schedule(s) use it, such as"
    return [Fault(code="in_use", message=f"{use} {one}.", existing_id=one) for one in schedule_ids[:_EXAMPLES]]


async def break_schedules(tx: Connection, schedule_ids: Sequence[UUID], lost: Lost, *, user_id: UUID) -> int:
    """Stop locked schedules until somebody gives them what they have lost, and resumes them; answers how many."""
    await tx.execute(_BREAK, user_id, list(schedule_ids), lost)
    payload = {"action": "schedule.stopped", "error": lost}
    events = [Event(user_id=user_id, type="schedule.changed", subject=one, payload=payload) for one in schedule_ids]
    await record_events(tx, events)
    return len(schedule_ids)
