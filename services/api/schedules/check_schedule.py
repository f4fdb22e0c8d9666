"""Whether a schedule can be had as a client wants it."""

from __future__ import annotations

import asyncio
from datetime import datetime, time
from uuid import UUID

import msgspec

from services.api.accounts.require_accounts import account_faults
from services.api.groups import store as groups
from services.api.http import Fault, ProblemError, aware, invalid
from services.api.media.require_media import require_media
from services.api.names import clean_name
from services.api.post_queues import store as post_queues
from services.api.posts import store as posts
from services.api.publications.choose_targets import check_lateness, hold_accounts
from services.api.schedules.contract import NewSchedule
from shared.database import Connection
from shared.schedules import RuleError, ScheduleRule, Slot, check_rule, next_at

_SPREAD_S_MAX = 7 * 86_400


def check_fields(wish: NewSchedule) -> NewSchedule:
    """The wish with a clean name, if each of its fields can be had by itself.

    Raises:
        ProblemError: a value is out of bounds, or a time has no offset.
    """
    for path, moment in (("starts_at", wish.starts_at), ("ends_at", wish.ends_at)):
        if moment is not None:
            aware(moment, path=path)
    for path, seconds in (("window_s", wish.window_s), ("min_gap_s", wish.min_gap_s)):
        if not 0 <= seconds <= _SPREAD_S_MAX:
            raise invalid("invalid_value", f"{path} must lie from 0 to {_SPREAD_S_MAX:,}.", path=path)
    check_lateness(wish.max_lateness_s)
    return msgspec.structs.replace(wish, name=clean_name(wish.name))


def rule_of(wish: NewSchedule) -> ScheduleRule:
    """The rule that a wish says, as it stands there: `first_due` checks it."""
    slots = None
    if wish.slots is not None:
        slots = tuple(Slot(weekday=slot.weekday, time=time.fromisoformat(slot.time)) for slot in wish.slots)
    return ScheduleRule(
        cron=wish.cron,
        slots=slots,
        timezone=wish.timezone,
        dst_gap=wish.dst_gap,
        dst_overlap=wish.dst_overlap,
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
    )


async def first_due(rule: ScheduleRule, *, now: datetime) -> datetime | None:
    """When a new rule is due for the first time.

    Raises:
        ProblemError: it cannot be used (`validation_failed`).
    """

    def check() -> datetime | None:
        check_rule(rule, now=now)
        return next_at(rule, after=now)

    try:
        # It looks at hundreds of due times.
        return await asyncio.to_thread(check)
    except RuleError as error:
        raise rule_problem(error) from error


def rule_problem(error: RuleError) -> ProblemError:
    """The problem of a rule that cannot be used."""
    return invalid("invalid_value", str(error), path=error.field)


def find_unclear(wish: NewSchedule) -> list[Fault]:
    """What is not said exactly once: who publishes, and what."""
    pairs = (("account_id", "group_id"), ("post_id", "post_queue_id"))
    return [
        Fault(code="invalid_value", message=f"Give exactly one of {first} and {second}.", path=first)
        for first, second in pairs
        if (getattr(wish, first) is None) == (getattr(wish, second) is None)
    ]


async def find_missing(tx: Connection, wish: NewSchedule, *, user_id: UUID) -> list[Fault]:
    """What the wish names and the user does not have. What is there is held until the transaction ends.

    Raises:
        ProblemError: the post shows media that were removed (`validation_failed`).
    """
    faults = []
    if wish.post_queue_id and not await post_queues.hold(tx, wish.post_queue_id, user_id=user_id):
        faults.append(_missing("post_queue_id", "post queue"))
    if wish.post_id and not await posts.hold_all(tx, [wish.post_id], user_id=user_id):
        faults.append(_missing("post_id", "post"))
    if wish.group_id and not await groups.hold(tx, wish.group_id, user_id=user_id):
        faults.append(_missing("group_id", "group"))
    if wish.account_id:
        await hold_accounts(tx, [wish.account_id], user_id=user_id)
        faults += await account_faults(tx, [wish.account_id], path="account_id", user_id=user_id)
    if wish.post_id and not faults:
        await require_media(tx, wish.post_id, user_id=user_id)
    return faults


async def require_all(tx: Connection, wish: NewSchedule, *, user_id: UUID) -> None:
    """Go on only if the wish says who publishes what, and the user has both.

    Raises:
        ProblemError: `validation_failed`, or `not_found` with what is not there.
    """
    unclear = find_unclear(wish)
    if unclear:
        raise ProblemError("validation_failed", unclear[0].message, errors=unclear)
    missing = await find_missing(tx, wish, user_id=user_id)
    if missing:
        raise ProblemError("not_found", missing[0].message, errors=missing)


def _missing(path: str, what: str) -> Fault:
    return Fault(code="not_found", message=f"There is no such {what}.", path=path)
