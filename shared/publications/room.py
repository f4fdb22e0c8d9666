"""When one account may publish, beside all else that it publishes. Pure; times are microseconds from a beginning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(hours=24) // _MICROSECOND

#: From and to, both included.
Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An account that shall take part in a plan, and what it can take."""

    account_id: UUID
    taken: Sequence[datetime] = ()  # when it publishes other things, or did; in order
    gap_s: float = 0.0  # between two publications of it
    cap: int | None = None  # most publications in any 24 hours; None if nobody said
    not_before: datetime | None = None


def micros(length: timedelta) -> int:
    """A length of time in whole microseconds."""
    return length // _MICROSECOND


def find_free(candidate: Candidate, begin: datetime, span: int) -> list[Span]:
    """The parts of the window in which one more publication breaks neither the account's gap nor its cap, in order."""
    free: list[Span] = []
    at = 0
    for closes, opens in sorted(_closed(candidate, begin)):
        if at <= min(closes, span):
            free.append((at, min(closes, span)))
        at = max(at, opens)
    if at <= span:
        free.append((at, span))
    return free


def _closed(candidate: Candidate, begin: datetime) -> Iterator[Span]:
    """Times that are closed, without their ends; they may overlap."""
    if candidate.not_before is not None:
        yield -1, micros(candidate.not_before - begin)
    taken = [micros(time - begin) for time in candidate.taken]
    gap = round(candidate.gap_s * 1_000_000)
    for time in taken:
        yield time - gap, time + gap
    if candidate.cap is not None:
        yield from _full(taken, candidate.cap)


def _full(taken: Sequence[int], cap: int) -> Iterator[Span]:
    """Around as many publications as a day takes: whatever would share 24 hours with all of them."""
    if cap == 0:
        yield -1, 1 << 62
        return
    for first, last in zip(taken, taken[cap - 1 :], strict=False):
        if last - first < _DAY:
            yield last - _DAY, first + _DAY
