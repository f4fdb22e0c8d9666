"""What clients send and get of schedules."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from services.api.http import Body, CreatedSort, PageQuery, Query
from shared.publications import DEFAULT_MAX_LATENESS_S
from shared.schedules import Gap, OccurrenceReason, Overlap, Weekday


class ScheduleState(StrEnum):
    """Where a schedule stands, by its row."""

    ACTIVE = "active"
    PAUSED = "paused"  # by a person
    ENDED = "ended"  # nothing is due any more
    BROKEN = "broken"  # it was stopped, for `error`


class Misfire(StrEnum):
    """What becomes of due times that were slept through."""

    ONCE = "once"  # the newest is made up for
    SKIP = "skip"


class OccurrenceState(StrEnum):
    """What became of a due time."""

    PENDING = "pending"
    DISTRIBUTED = "distributed"
    SKIPPED = "skipped"
    FAILED = "failed"


class SchedulesQuery(PageQuery, frozen=True, kw_only=True):
    """Which schedules."""

    state: ScheduleState | None = None
    account_id: UUID | None = None
    group_id: UUID | None = None
    post_id: UUID | None = None
    post_queue_id: UUID | None = None
    sort: CreatedSort = CreatedSort.NEWEST


class OccurrencesQuery(PageQuery, frozen=True, kw_only=True):
    """Which due times of a schedule."""

    state: OccurrenceState | None = None


class PreviewQuery(Query, frozen=True, kw_only=True):
    """How many due times are shown."""

    count: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10


class SlotBody(Body, frozen=True, kw_only=True):
    """A wall time of a weekday."""

    weekday: Weekday
    time: Annotated[str, msgspec.Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")]


class NewSchedule(Body, frozen=True, kw_only=True):
    """A schedule as a client wants it."""

    name: str
    cron: str | None = None
    slots: list[SlotBody] | None = None
    timezone: str
    dst_gap: Gap = Gap.SHIFT
    dst_overlap: Overlap = Overlap.FIRST
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    misfire: Misfire = Misfire.ONCE
    account_id: UUID | None = None
    group_id: UUID | None = None
    post_id: UUID | None = None
    post_queue_id: UUID | None = None
    window_s: int = 0
    min_gap_s: float = 0.0
    max_lateness_s: int | None = DEFAULT_MAX_LATENESS_S


class ScheduleChange(Body, frozen=True, kw_only=True):
    """What is to be another; what is left out stays, but that one of a pair takes the other's place."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    cron: str | msgspec.UnsetType | None = msgspec.UNSET
    slots: list[SlotBody] | msgspec.UnsetType | None = msgspec.UNSET
    timezone: str | msgspec.UnsetType = msgspec.UNSET
    dst_gap: Gap | msgspec.UnsetType = msgspec.UNSET
    dst_overlap: Overlap | msgspec.UnsetType = msgspec.UNSET
    starts_at: datetime | msgspec.UnsetType | None = msgspec.UNSET
    ends_at: datetime | msgspec.UnsetType | None = msgspec.UNSET
    misfire: Misfire | msgspec.UnsetType = msgspec.UNSET
    account_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    group_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    post_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    post_queue_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    window_s: int | msgspec.UnsetType = msgspec.UNSET
    min_gap_s: float | msgspec.UnsetType = msgspec.UNSET
    max_lateness_s: int | msgspec.UnsetType | None = msgspec.UNSET


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule by which a post, or the next one of a queue, is published again and again."""

    id: UUID
    name: str
    cron: str | None
    slots: list[SlotBody] | None
    timezone: str
    dst_gap: Gap
    dst_overlap: Overlap
    starts_at: datetime | None
    ends_at: datetime | None
    misfire: Misfire
    account_id: UUID | None
    group_id: UUID | None
    post_id: UUID | None
    post_queue_id: UUID | None
    window_s: int
    min_gap_s: float
    max_lateness_s: int | None
    state: ScheduleState
    error: str | None  # what a person must mend before it is resumed
    paused_at: datetime | None
    next_at: datetime | None  # null while it is not active
    next_local: datetime | None  # the same on the zone's clock
    created_at: datetime
    updated_at: datetime


class PreviewedTime(msgspec.Struct, frozen=True, kw_only=True):
    """One due time to come."""

    local_date: date  # with `slot`: the wall time that the rule names
    slot: str  # `02:30/2` is the second run of a doubled time
    local: datetime  # when it comes, on the zone's clock
    due_at: datetime  # the same in UTC
    skipped: bool
    reason: OccurrenceReason | None  # why it is skipped


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The due times to come of a rule."""

    timezone: str
    as_of: datetime
    times: list[PreviewedTime]


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """An account that has no part in an occurrence, and why."""

    account_id: UUID
    code: str


class ScheduleOccurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One due time of a schedule, and what became of it."""

    id: UUID
    schedule_id: UUID
    local_date: date
    slot: str
    due_at: datetime
    state: OccurrenceState
    reason: OccurrenceReason | None
    post_id: UUID | None  # that was published
    distribution_id: UUID | None
    publications: int
    conflicts: list[LeftOut]  # the first hundred
    conflict_count: int
    created_at: datetime
    processed_at: datetime | None
