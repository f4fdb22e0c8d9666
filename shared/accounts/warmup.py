"""Warm-up: how much a newly connected account may publish a day, and when a day of it counts. Opt-in, and our own rule.

A day of a protocol is 24 hours from when it began, whatever the calendar says. It counts only when it was clean;
otherwise it is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.accounts.caution import halve
from shared.database import Connection

_DAY = timedelta(hours=24)
# What people publish by hand beside us needs room too.
_LEFT_TO_PEOPLE = 2

# Clients see nothing of it: `updated_at` stays, or what is cached of the account would have another ETag than its row.
_WRITE_DAY = """
    UPDATE accounts
    SET warmup_day = $3, warmup_day_began_at = now()
    WHERE user_id = $1 AND id = $2
"""


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """Where an account stands in its protocol."""

    daily_caps: Sequence[int]  # publications a day, day by day
    min_gap_s: int  # between two publications
    success_ratio: float  # 0 to 1; a day needs it to count
    day: int  # from 0
    began_at: datetime | None  # the day; None before the first publication
    flagged_at: datetime | None  # when the account last needed its owner
    quota_total: int | None  # what the platform allows in 24 hours; None if it never said
    is_halved: bool = False  # the account is at risk

    @property
    def is_over(self) -> bool:
        """Whether every day has counted: then there is no cap any more."""
        return self.day >= len(self.daily_caps)

    @property
    def cap(self) -> int:
        """How many publications today allows, never more than the platform does; half of them if it is at risk."""
        return halve(self.full_cap) if self.is_halved else self.full_cap

    @property
    def full_cap(self) -> int:
        """The same, were it well."""
        own = self.daily_caps[self.day]
        return own if self.quota_total is None else min(own, max(self.quota_total - _LEFT_TO_PEOPLE, 1))


@dataclass(frozen=True, kw_only=True)
class DayRecord:
    """What became of an account's publications since the day began."""

    published: int
    failed: int
    unknown: int  # outcomes that nobody knows
    under_way: int  # a publish call was sent, and its outcome is being found out
    last_sent_at: datetime | None  # the newest publish call that had or may have had effect, of whatever day


@dataclass(frozen=True, kw_only=True)
class Slot:
    """The next moment at which an account may publish, and what it waits for until then."""

    reason: str
    at: datetime


def has_day_passed(warmup: WarmUp, *, now: datetime) -> bool:
    """Whether another day begins, the first included."""
    return warmup.began_at is None or now >= warmup.began_at + _DAY


def next_day(warmup: WarmUp, record: DayRecord) -> int:
    """The number of the day that begins now: the next if the one that passed was clean, else the same."""
    if warmup.began_at is None:
        return warmup.day
    flagged = warmup.flagged_at is not None and warmup.flagged_at >= warmup.began_at
    ended = record.published + record.failed + record.unknown
    clean = record.published > 0 and not flagged and record.published >= warmup.success_ratio * ended
    return warmup.day + clean


def next_slot(warmup: WarmUp, record: DayRecord, *, now: datetime) -> Slot | None:
    """When the account may publish next within the day that runs; None if at once.

    What may be live counts as if it were.
    """
    used = record.published + record.unknown + record.under_way
    if used >= warmup.cap:
        reason = "warmup_cap" if used >= warmup.full_cap else "health_cap"
        return Slot(reason=reason, at=(warmup.began_at or now) + _DAY)
    if record.last_sent_at is None:
        return None
    free_at = record.last_sent_at + timedelta(seconds=warmup.min_gap_s)
    return Slot(reason="warmup_gap", at=free_at) if free_at > now else None


async def begin_day(tx: Connection, account_id: UUID, *, user_id: UUID, day: int) -> None:
    """Write that this day of the protocol begins now. The caller holds the lock on the account's row."""
    await tx.execute(_WRITE_DAY, user_id, account_id, day)
