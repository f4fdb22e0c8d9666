"""Changing a schedule: another rule counts from now on, and neither doubles nor makes up for anything."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from services.api.schedules import store
from services.api.schedules.check_schedule import check_fields, first_due, require_all, rule_of
from services.api.schedules.contract import ScheduleChange
from services.api.schedules.settle_schedule import settle_schedule
from shared.database import Connection, Row

_PAIRS = (("cron", "slots"), ("account_id", "group_id"), ("post_id", "post_queue_id"))
_NAMED = ("account_id", "group_id", "post_id", "post_queue_id")


async def change_schedule(
    tx: Connection, schedule_id: UUID, change: ScheduleChange, *, current: Row, user_id: UUID
) -> None:
    """Make a locked schedule what is wished. What is not named is not looked at: a broken one can be renamed.

    Args:
        tx: the transaction that holds it.
        schedule_id: which.
        change: what shall be another.
        current: as `store.lock` read it.
        user_id: the tenant.

    Raises:
        ProblemError: a value is out of bounds, the rule cannot be used, something named is not there, or too much has
            come due of the rule before (`state_conflict`).
    """
    before = store.wish_of(current)
    given = _given(change)
    wanted = check_fields(msgspec.structs.replace(before, **given))
    if wanted == before:
        return
    if given.keys() & set(_NAMED):
        await require_all(tx, wanted, user_id=user_id)
    rule, after = rule_of(wanted), current["from_now"]
    if rule != rule_of(before):
        due = await first_due(rule, now=after)
        await settle_schedule(tx, current)
        await store.begin_anew(tx, schedule_id, after=after, next_at=due, user_id=user_id)
    await store.update(tx, schedule_id, wanted, user_id=user_id)


def _given(change: ScheduleChange) -> dict[str, Any]:
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    for first, second in _PAIRS:
        if first in given or second in given:
            given = {first: None, second: None} | given
    return given
