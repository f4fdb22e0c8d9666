"""The wall times that a rule names, in order. The clocks of zones are none of its business: a day has 24 hours here."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta

from cronsim import CronSim, CronSimError

from shared.schedules.rule import RuleError, ScheduleRule, Slot, Weekday

_CRON_FIELDS = 5
_CRON_CHARS_MAX = 200
_WEEKDAYS = list(Weekday)
_DAY = timedelta(days=1)


def wall_times(rule: ScheduleRule, *, since: datetime) -> Iterator[datetime]:
    """The wall times of a rule, naive, in strict order; those of cron end where fifty years have none.

    Args:
        rule: cron or slots.
        since: naive; one that is equal to it counts.

    Raises:
        RuleError: the cron line is none.
    """
    return _by_cron(rule.cron, since) if rule.cron is not None else _by_slots(rule.slots or (), since)


def _by_cron(line: str, since: datetime) -> Iterator[datetime]:
    # Naive, so that the library has no clock of a zone to follow; it begins after the time it gets.
    before = since - timedelta(seconds=1)
    if len(line) > _CRON_CHARS_MAX or len(line.split()) != _CRON_FIELDS:
        raise _no_cron(line, f"it must have five fields in at most {_CRON_CHARS_MAX} characters")
    try:
        return _to_the_end(CronSim(line, before))
    except CronSimError as error:
        raise _no_cron(line, str(error)) from None


def _by_slots(slots: Sequence[Slot], since: datetime) -> Iterator[datetime]:
    times = defaultdict[Weekday, set[time]](set)
    for slot in slots:
        times[slot.weekday].add(slot.time)
    days = (since.date() + _DAY * ahead for ahead in itertools.count()) if times else iter(())
    walls = (datetime.combine(day, at) for day in days for at in sorted(times[_WEEKDAYS[day.weekday()]]))
    return _to_the_end(wall for wall in walls if wall >= since)


def _to_the_end(walls: Iterator[datetime]) -> Iterator[datetime]:
    try:
        yield from walls
    except OverflowError:
        return  # the calendar ends


def _no_cron(line: str, why: str) -> RuleError:
    return RuleError(
        f"{line[:_CRON_CHARS_MAX]!r} is no cron line: {why}. Write minute, hour, day of month, month and day of week, "
        f'such as "30 9 * * MON-FRI".',
        field="cron",
    )
