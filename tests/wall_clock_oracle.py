"""What a rule means, told by reading a clock at every single minute: slow, and with no idea of how it is done."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from shared.schedules import Gap, Occurrence, OccurrenceReason, Overlap

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FROM, TO = datetime(2020, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
#: Daylight saving of an hour and of half an hour, none, a change for Ramadan, and one that was given up.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "Pacific/Apia",
)
_AROUND = 2 * DAY


@cache
def changes_of(name: str) -> tuple[datetime, ...]:
    """The first minute after each change of the zone's clock from 2020 to 2035."""
    zone = ZoneInfo(name)
    days = [FROM + number * DAY for number in range((TO - FROM).days + 1)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    return tuple(
        _change_within(day, zone)
        for day, before, after in zip(days, offsets, offsets[1:], strict=False)
        if before != after
    )


def moments_of(name: str) -> tuple[datetime, ...]:
    """The changes of a zone; of one that has none, some days."""
    return changes_of(name) or tuple(datetime(year, 3, 29, tzinfo=UTC) for year in range(2020, 2036, 5))


@cache
def runs_around(name: str, change: datetime) -> dict[datetime, list[datetime]]:
    """Every wall time that the clock shows within two days of a change, and when it does."""
    zone = ZoneInfo(name)
    runs = defaultdict[datetime, list[datetime]](list)
    minutes = 2 * _AROUND // MINUTE
    for instant in (change - _AROUND + number * MINUTE for number in range(minutes)):
        runs[instant.astimezone(zone).replace(tzinfo=None)].append(instant)
    return dict(runs)


def expected(
    name: str, change: datetime, times: Collection[tuple[int, time]], *, gap: Gap, overlap: Overlap, days: int = 1
) -> list[Occurrence]:
    """The occurrences of the days around a change, of a rule that names these times (weekday from 0, wall time)."""
    runs = runs_around(name, change)
    shown = sorted(runs)
    middle = change.astimezone(ZoneInfo(name)).date()
    dates = [middle + number * DAY for number in range(-days, days + 1)]
    found = [
        occurrence
        for day in dates
        for weekday, at in set(times)
        if weekday == day.weekday()
        for occurrence in _read(day, at, runs, shown, gap=gap, overlap=overlap)
    ]
    return sorted(found, key=lambda occurrence: (occurrence.due_at, occurrence.local_date, occurrence.slot))


def _read(
    day: date,
    at: time,
    runs: dict[datetime, list[datetime]],
    shown: list[datetime],
    *,
    gap: Gap,
    overlap: Overlap,
) -> list[Occurrence]:
    wall, slot = datetime.combine(day, at), f"{at:%H:%M}"
    comes = runs.get(wall, [])
    if not comes:
        place = bisect_left(shown, wall)
        jump = shown[place] - shown[place - 1] - MINUTE
        skipped = OccurrenceReason.DST_GAP if gap is Gap.SKIP else None
        return [Occurrence(local_date=day, slot=slot, due_at=runs[wall + jump][0], skipped=skipped)]
    if len(comes) == 1 or overlap is Overlap.FIRST:
        return [Occurrence(local_date=day, slot=slot, due_at=comes[0])]
    if overlap is Overlap.SECOND:
        return [Occurrence(local_date=day, slot=slot, due_at=comes[1])]
    return [
        Occurrence(local_date=day, slot=slot, due_at=comes[0]),
        Occurrence(local_date=day, slot=f"{slot}/2", due_at=comes[1]),
    ]


def _change_within(day: datetime, zone: ZoneInfo) -> datetime:
    before = day.astimezone(zone).utcoffset()
    minutes = [day + number * MINUTE for number in range(DAY // MINUTE + 1)]
    return minutes[bisect_left(minutes, True, key=lambda minute: minute.astimezone(zone).utcoffset() != before)]
