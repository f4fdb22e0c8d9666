"""Whether a rule can be used, before it is saved."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, pairwise, takewhile

from shared.schedules.occurrences import next_at
from shared.schedules.rule import RuleError, ScheduleRule, Slot
from shared.schedules.wall_clock import load_zone, wall_before
from shared.schedules.wall_times import wall_times

_SLOTS_MAX = 168
_LEAST_APART = timedelta(minutes=5)
# Two full days of the densest rule there may be: what is too close within a day or over midnight is among them.
_LOOKED_AT = 600
# From one leap day to the next it can take so long.
_AHEAD = timedelta(days=8 * 366)


def check_rule(rule: ScheduleRule, *, now: datetime) -> None:
    """Refuse a rule that cannot be used.

    Args:
        rule: as a person wrote it.
        now: the database's time; aware.

    Raises:
        RuleError: with the field at fault and what to write instead: no cron line; no, too many, doubled or crooked
            slots; an unknown zone; more often than every five minutes; ends before it begins, or is over; never due
            within eight years.
    """
    if (rule.cron is None) == (rule.slots is None):
        raise RuleError("Give either cron or slots.", field="cron")
    if rule.slots is not None:
        _check_slots(rule.slots)
    zone = load_zone(rule.timezone)
    _check_bounds(rule, now=now)
    since = wall_before(now, zone=zone)
    walls = takewhile(lambda wall: wall < since + _AHEAD, wall_times(rule, since=since))
    _check_distances(list(islice(walls, _LOOKED_AT)), field="slots" if rule.cron is None else "cron")
    due = next_at(rule, after=now)
    if due is None or due > now + _AHEAD:
        raise _never(rule)


def _check_slots(slots: tuple[Slot, ...]) -> None:
    if not 1 <= len(slots) <= _SLOTS_MAX:
        raise RuleError(f"Give from 1 to {_SLOTS_MAX} slots.", field="slots")
    if any(slot.time.second or slot.time.microsecond or slot.time.tzinfo for slot in slots):
        raise RuleError("The time of a slot is in whole minutes and without an offset, such as 09:30.", field="slots")
    if len(set(slots)) < len(slots):
        raise RuleError("Give each slot once.", field="slots")


def _check_bounds(rule: ScheduleRule, *, now: datetime) -> None:
    for field, moment in (("starts_at", rule.starts_at), ("ends_at", rule.ends_at)):
        if moment is not None and moment.tzinfo is None:
            raise RuleError(f"{field} must have an offset, such as 2030-01-31T09:00:00+01:00.", field=field)
    if rule.starts_at is not None and rule.starts_at > now + _AHEAD:
        raise RuleError("starts_at must lie within the next eight years.", field="starts_at")
    if rule.ends_at is not None and rule.starts_at is not None and rule.ends_at < rule.starts_at:
        raise RuleError("The schedule ends before it begins; move ends_at or starts_at.", field="ends_at")
    if rule.ends_at is not None and rule.ends_at <= now:
        raise RuleError("ends_at is past; give a later one, or none.", field="ends_at")


def _check_distances(walls: list[datetime], *, field: str) -> None:
    if any(later - earlier < _LEAST_APART for earlier, later in pairwise(walls)):
        raise RuleError("The schedule would be due more often than every five minutes; name fewer times.", field=field)


def _never(rule: ScheduleRule) -> RuleError:
    if rule.ends_at is not None:
        return RuleError("Nothing is due until ends_at; move it, or name other times.", field="ends_at")
    return RuleError("The schedule is never due within eight years; name other times.", field="cron")
