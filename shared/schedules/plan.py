"""What becomes of the due times of a schedule that have come: made, or left out and explained. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, takewhile
from typing import Any
from uuid import UUID

from shared.database import Row
from shared.schedules.occurrences import Occurrence, occurrences
from shared.schedules.reasons import OccurrenceReason
from shared.schedules.rule import read_rule

#: A due time that is met no later than this is on time.
ON_TIME = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class NewOccurrence:
    """A row that is to be written."""

    schedule_id: UUID
    user_id: UUID
    local_date: date
    slot: str
    due_at: datetime  # UTC
    state: str  # pending, skipped
    reason: OccurrenceReason | None  # of a skipped one


@dataclass(frozen=True, kw_only=True)
class Advance:
    """How far a schedule comes at once."""

    schedule_id: UUID
    occurrences: list[NewOccurrence]
    made_until: datetime  # all up to this moment are made
    next_at: datetime | None  # it has come already, if there are more than are made at once
    is_all: bool  # nothing that has come is left


def plan_occurrences(row: Row | Mapping[str, Any], *, now: datetime, most: int) -> Advance:
    """Decide about the due times that have come since `made_until`. After a pause or a removal none comes.

    Args:
        row: of `schedules`.
        now: the database's time.
        most: how many at most; the rest is for the next call.

    Raises:
        RuleError: the rule cannot be computed any more. Pause the schedule and tell a person.
    """
    until = min(now, row["paused_at"] or now, row["removed_at"] or now)
    due = occurrences(read_rule(row), after=row["made_until"])
    come, following = _take(due, until=until, most=most)
    is_all = following is None or following.due_at > until
    if following is None or is_all:
        has_newest = True
    else:
        has_newest = not _is_any_wanted(chain([following], due), until=until)
        # The next call begins after a moment: what is due at that moment must not be parted.
        come = [occurrence for occurrence in come if occurrence.due_at < following.due_at]
    return Advance(
        schedule_id=row["id"],
        occurrences=_judge(row, come, now=now, has_newest=has_newest),
        made_until=max(until, row["made_until"]) if is_all else come[-1].due_at,
        next_at=None if following is None else following.due_at,
        is_all=is_all,
    )


def _take(due: Iterator[Occurrence], *, until: datetime, most: int) -> tuple[list[Occurrence], Occurrence | None]:
    """The first that have come, and the one that follows them, come or not."""
    come: list[Occurrence] = []
    for occurrence in due:
        if occurrence.due_at > until or len(come) == most:
            return come, occurrence
        come.append(occurrence)
    return come, None


def _is_any_wanted(due: Iterator[Occurrence], *, until: datetime) -> bool:
    return any(occurrence.skipped is None for occurrence in takewhile(lambda one: one.due_at <= until, due))


def _judge(
    row: Row | Mapping[str, Any], come: Sequence[Occurrence], *, now: datetime, has_newest: bool
) -> list[NewOccurrence]:
    wanted = [occurrence for occurrence in come if occurrence.skipped is None]
    newest = wanted[-1] if wanted and has_newest else None
    judged = []
    for occurrence in come:
        reason = occurrence.skipped or _slept_through(row, occurrence, newest, now=now) or _stopped(row)
        judged.append(
            NewOccurrence(
                schedule_id=row["id"],
                user_id=row["user_id"],
                local_date=occurrence.local_date,
                slot=occurrence.slot,
                due_at=occurrence.due_at,
                state="pending" if reason is None else "skipped",
                reason=reason,
            )
        )
    return judged


def _slept_through(
    row: Row | Mapping[str, Any], occurrence: Occurrence, newest: Occurrence | None, *, now: datetime
) -> OccurrenceReason | None:
    """Why nothing comes of it; None if it is made."""
    late = now - occurrence.due_at
    if newest is not None and occurrence.due_at == newest.due_at and late <= ON_TIME:
        return None
    if row["misfire"] == "skip":
        return OccurrenceReason.MISFIRE
    if occurrence is not newest:
        return OccurrenceReason.SUPERSEDED
    most_s = row["max_lateness_s"]
    return OccurrenceReason.TOO_LATE if most_s is not None and late > timedelta(seconds=most_s) else None


def _stopped(row: Row | Mapping[str, Any]) -> OccurrenceReason | None:
    if row["removed_at"] is not None:
        return OccurrenceReason.REMOVED
    return None if row["paused_at"] is None else OccurrenceReason.PAUSED
