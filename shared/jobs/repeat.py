"""When a repeated job is due: every so often without drift, or by a cron line in a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_LEAST_MS = 1
_MOST_MS = 366 * 24 * 60 * 60 * 1000


class Misfire(StrEnum):
    """What becomes of due times that passed while no scheduler ran."""

    SKIP = "skip"  # nothing: the next one in the future fires
    ONCE = "once"  # one firing for all of them
    CATCH_UP = "catch_up"  # one firing for each of them


class Repeat(TypedDict, total=False):
    """How a caller says it: `every`, or `cron` with `zone`; and `misfire` if it is not to be `once`."""

    every: int | timedelta  # milliseconds or timedelta
    cron: str  # five fields, or six with seconds first
    zone: str  # IANA name; UTC unless said
    misfire: str


@dataclass(frozen=True, kw_only=True)
class RepeatRule:
    """The same, checked: either `every_ms`, or `cron` and `zone`.

    When clocks change, a cron line that names its hours and minutes keeps its count, as with Debian's cron: a time in
    the gap comes at the end of the gap, a doubled time comes the first time only. A line whose hour or minute begins
    with `*`, or that has seconds, follows the wall clock: nothing in the gap, and both runs of a doubled hour.
    """

    every_ms: int | None = None
    cron: str | None = None
    zone: str | None = None
    misfire: Misfire = Misfire.ONCE

    def next_after(self, due: datetime, after: datetime) -> datetime:
        """The first due time later than both `due` and `after`, on the grid that `due` is on.

        Args:
            due: a due time of this rule; aware.
            after: aware.

        Returns:
            An aware time in UTC.

        Raises:
            ValueError: the rule cannot be computed, or never comes due again; its zone may be gone from the machine's
                data. Stop the job, tell a person.
        """
        # In UTC: times of one zone are compared and subtracted by the wall clock, which runs twice in a doubled hour.
        due, after = due.astimezone(UTC), after.astimezone(UTC)
        if self.every_ms is None:
            return _next_by_cron(self.cron or "", self.zone or "UTC", max(due, after))
        try:
            every = timedelta(milliseconds=self.every_ms)
            return due + max(1, (after - due) // every + 1) * every
        except OverflowError:
            raise ValueError(f"{self.every_ms} ms reach beyond the calendar") from None

    def first_after(self, now: datetime) -> datetime:
        """The first due time of a new job: one period from now, or the next time the cron line names."""
        return self.next_after(now, now)


def read_repeat(repeat: Repeat) -> RepeatRule:
    """Check what a caller said.

    Raises:
        ValueError: it is neither `every` nor `cron`, or one that can never come due. The text says what to change.
    """
    unknown = repeat.keys() - Repeat.__annotations__.keys()
    if unknown:
        raise ValueError(f"unknown key in repeat: {', '.join(sorted(unknown))}")
    misfire = _misfire(repeat.get("misfire", Misfire.ONCE))
    every, cron = repeat.get("every"), repeat.get("cron")
    if (every is None) == (cron is None):
        raise ValueError('repeat must have either "every" or "cron"')
    if cron is not None:
        zone = repeat.get("zone", "UTC")
        _next_by_cron(cron, zone, datetime.now(UTC))
        return RepeatRule(cron=cron, zone=zone, misfire=misfire)
    if "zone" in repeat:
        raise ValueError('"zone" belongs to "cron"; a rhythm of "every" has none')
    every_ms = round(every.total_seconds() * 1000) if isinstance(every, timedelta) else int(every or 0)
    if not _LEAST_MS <= every_ms <= _MOST_MS:
        raise ValueError('"every" must be from 1 ms to 366 days')
    return RepeatRule(every_ms=every_ms, misfire=misfire)


def _misfire(text: str) -> Misfire:
    try:
        return Misfire(text)
    except ValueError:
        raise ValueError(f'"misfire" must be one of: {", ".join(Misfire)}') from None


def _next_by_cron(cron: str, zone: str, after: datetime) -> datetime:
    local = after.astimezone(_zone(zone))
    try:
        # Asked in the second run of a doubled hour, the library names due times of the first again.
        return next(due for due in (local_due.astimezone(UTC) for local_due in CronSim(cron, local)) if due > after)
    except (CronSimError, ValueError) as error:
        raise ValueError(f"{cron!r} is no cron line: {error}") from None
    except StopIteration:
        raise ValueError(f"{cron!r} never comes due") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError(f"{name!r} is no time zone known here; use an IANA name such as Europe/Berlin") from None
