"""What the schedules of a simulated year promise, worked out a second time and in the plainest way: day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A schedule of the simulation, in terms that need no library."""

    schedule_id: UUID
    zone: str
    weekdays: frozenset[int]  # Monday is 0
    times: tuple[time, ...]
    gap: str  # shift or skip
    overlap: str  # first, second or both
    misfire: str  # once or skip
    max_lateness_s: int | None


@dataclass(frozen=True, kw_only=True)
class Due:
    """One due time that is promised."""

    schedule_id: UUID
    local_date: date
    slot: str
    due_at: datetime
    skipped: bool  # by the gap's policy

    @property
    def key(self) -> tuple[UUID, date, str]:
        """What it is known by."""
        return self.schedule_id, self.local_date, self.slot


def promised(promise: Promise, begin: datetime, end: datetime) -> list[Due]:
    """Every due time later than `begin` and not later than `end`, in order."""
    found: list[Due] = []
    day = begin.date() - 2 * _DAY
    while day <= end.date() + 2 * _DAY:
        if day.weekday() in promise.weekdays:
            for wall in promise.times:
                found += _resolve(promise, day, wall)
        day += _DAY
    return sorted((due for due in found if begin < due.due_at <= end), key=lambda due: (due.due_at, due.key))


def _resolve(promise: Promise, day: date, wall: time) -> Iterator[Due]:
    zone = ZoneInfo(promise.zone)
    naive = datetime.combine(day, wall)
    moments = sorted({naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)})
    real = [moment for moment in moments if moment.astimezone(zone).replace(tzinfo=None, fold=0) == naive]
    slot = wall.strftime("%H:%M")
    if not real:
        before_the_gap = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
        yield _due(promise, day, slot, before_the_gap, skipped=promise.gap == "skip")
    elif len(real) == 1 or promise.overlap == "first":
        yield _due(promise, day, slot, real[0])
    elif promise.overlap == "second":
        yield _due(promise, day, slot, real[1])
    else:
        yield _due(promise, day, slot, real[0])
        yield _due(promise, day, f"{slot}/2", real[1])


def _due(promise: Promise, day: date, slot: str, at: datetime, *, skipped: bool = False) -> Due:
    return Due(schedule_id=promise.schedule_id, local_date=day, slot=slot, due_at=at, skipped=skipped)
