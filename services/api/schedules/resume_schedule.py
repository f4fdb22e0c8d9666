"""Letting a schedule go on."""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import UUID

from services.api.http import ProblemError
from services.api.schedules import store
from services.api.schedules.check_schedule import find_missing, find_unclear, rule_of, rule_problem
from services.api.schedules.settle_schedule import settle_schedule
from shared.alerts import AlertCode, resolve_alerts
from shared.database import Connection, Row
from shared.schedules import RuleError, next_at


async def resume_schedule(tx: Connection, schedule_id: UUID, *, current: Row, user_id: UUID) -> None:
    """End the pause of a locked schedule, with what is due from now on. What was due meanwhile is not made up for.

    Args:
        tx: the transaction that holds it.
        schedule_id: which.
        current: as `store.lock` read it.
        user_id: the tenant.

    Raises:
        ProblemError: it is not paused, or lacks what it needs (`state_conflict`), or its rule cannot be computed.
    """
    if current["paused_at"] is None:
        raise ProblemError("state_conflict", "The schedule is not paused.")
    wish = store.wish_of(current)
    faults = find_unclear(wish) or await find_missing(tx, wish, user_id=user_id)
    if faults:
        raise ProblemError("state_conflict", f"{faults[0].message} Change the schedule first.", errors=faults)
    after = current["from_now"]
    try:
        due = await asyncio.to_thread(partial(next_at, rule_of(wish), after=after))
    except RuleError as error:
        raise rule_problem(error) from error
    await settle_schedule(tx, current)
    await store.resume(tx, schedule_id, after=after, next_at=due, user_id=user_id)
    await resolve_alerts(tx, AlertCode.SCHEDULE_BROKEN, [schedule_id], user_id=user_id)
