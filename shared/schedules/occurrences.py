"""The due times of a rule, in order, from any moment on: what was computed before need not be known."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from shared.schedules.reasons import OccurrenceReason
from shared.schedules.rule import ScheduleRule
from shared.schedules.wall_clock import load_zone, read_wall_time, runs_of, wall_before
from shared.schedules.wall_times import wall_times


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One due time of a rule. `local_date` and `slot` name it, as the rule does: its key beside the schedule."""

    local_date: date  # of the wall time that the rule names, shifted or not
    slot: str  # that wall time: 09:30; 02:30/2 is the second run of a doubled one
    due_at: datetime  # UTC
    skipped: OccurrenceReason | None = (
        None  # dst_gap: the rule's policy leaves it out; `due_at` is when it would have come
    )


def occurrences(rule: ScheduleRule, *, after: datetime) -> Iterator[Occurrence]:
    """The occurrences that are due after a moment, by due time, then date, then slot; within `starts_at` and `ends_at`.

    Wall times are in order and what they are in UTC need not be: one of a gap comes after its followers. So each waits
    until no later wall time can come before it. None comes before one that is there once, as nearly all are.

    Args:
        rule: one that `check_rule` has accepted.
        after: aware.

    Raises:
        RuleError: the zone is gone from the data, or the cron line is none. Tell a person.
    """
    zone = load_zone(rule.timezone)
    after = after.astimezone(UTC)
    begin = after if rule.starts_at is None else max(after, rule.starts_at).astimezone(UTC)
    walls = wall_times(rule, since=wall_before(begin, zone=zone))
    return (
        occurrence
        for occurrence in _in_order(rule, walls, zone)
        if occurrence.due_at > after and occurrence.due_at >= begin
    )


def next_at(rule: ScheduleRule, *, after: datetime) -> datetime | None:
    """When the first occurrence after a moment is due, be it a skipped one; None: there is none.

    Raises:
        RuleError: as `occurrences`.
    """
    return next((occurrence.due_at for occurrence in occurrences(rule, after=after)), None)


def _in_order(rule: ScheduleRule, walls: Iterator[datetime], zone: ZoneInfo) -> Iterator[Occurrence]:
    waiting: list[tuple[datetime, date, str, Occurrence]] = []
    ends_at = rule.ends_at
    for wall in walls:
        first, last = runs_of(wall, zone=zone)
        while waiting and waiting[0][0] < first:
            yield heapq.heappop(waiting)[-1]
        if ends_at is not None and first > ends_at:
            break
        for occurrence in _read(rule, wall, zone):
            if ends_at is None or occurrence.due_at <= ends_at:
                key = (occurrence.due_at, occurrence.local_date, occurrence.slot)
                heapq.heappush(waiting, (*key, occurrence))
        while waiting and waiting[0][0] <= first == last:
            yield heapq.heappop(waiting)[-1]
    while waiting:
        yield heapq.heappop(waiting)[-1]


def _read(rule: ScheduleRule, wall: datetime, zone: ZoneInfo) -> list[Occurrence]:
    return [
        Occurrence(
            local_date=wall.date(),
            slot=f"{wall:%H:%M}" if reading.run == 1 else f"{wall:%H:%M}/{reading.run}",
            due_at=reading.due_at,
            skipped=reading.skipped,
        )
        for reading in read_wall_time(wall, zone=zone, gap=rule.dst_gap, overlap=rule.dst_overlap)
    ]
