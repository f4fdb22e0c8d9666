"""The rule of a schedule: which wall times of which zone, and what becomes of those that a change of the clock hits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Any

from shared.database import Row
from shared.errors import InstaDistroError


class Gap(StrEnum):
    """What becomes of a wall time that the clock jumps over."""

    SHIFT = "shift"  # it comes later by the length of the jump
    SKIP = "skip"  # it does not come


class Overlap(StrEnum):
    """Which run of a wall time counts that the clock shows twice."""

    FIRST = "first"
    SECOND = "second"
    BOTH = "both"


class Weekday(StrEnum):
    """The days of the week, in the order of `date.weekday()`."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One wall time of a week."""

    weekday: Weekday
    time: time  # naive, whole minutes


@dataclass(frozen=True, kw_only=True)
class ScheduleRule:
    """When a schedule is due: by a cron line or by slots, never both. `check_rule` says whether it can be used."""

    cron: str | None  # five fields
    slots: tuple[Slot, ...] | None
    timezone: str  # IANA name
    dst_gap: Gap
    dst_overlap: Overlap
    starts_at: datetime | None  # aware; a due time at this very moment counts
    ends_at: datetime | None  # likewise


class RuleError(InstaDistroError):
    """The rule cannot be used or computed. The text says what to change in `field`; then save the schedule again."""

    def __init__(self, text: str, *, field: str) -> None:
        super().__init__(text)
        self.field = field


def read_rule(row: Row | Mapping[str, Any]) -> ScheduleRule:
    """The rule of a row of `schedules`.

    Raises:
        RuleError: its slots cannot be read; write them anew.
    """
    return ScheduleRule(
        cron=row["cron"],
        slots=None if row["slots"] is None else _read_slots(row["slots"]),
        timezone=row["timezone"],
        dst_gap=Gap(row["dst_gap"]),
        dst_overlap=Overlap(row["dst_overlap"]),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
    )


def _read_slots(text: str) -> tuple[Slot, ...]:
    try:
        return tuple(
            Slot(weekday=Weekday(slot["weekday"]), time=time.fromisoformat(slot["time"])) for slot in json.loads(text)
        )
    except (ValueError, KeyError, TypeError):
        raise RuleError(
            'The slots of the schedule cannot be read; write them as [{"weekday": "mon", "time": "09:30"}].',
            field="slots",
        ) from None
