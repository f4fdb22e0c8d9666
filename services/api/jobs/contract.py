"""What operators send and get of jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec

from services.api.http import Body, PageQuery, Query
from shared.jobs import JobType

#: What a dead job is called that was no job of this system.
UNREADABLE = "unreadable"
TYPES = (*(job_type.value for job_type in JobType), UNREADABLE)
AT_ONCE_MAX = 10_000
AT_ONCE = 1_000

DeadType: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(TYPES)})]
AtOnce: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=AT_ONCE_MAX)]


class DeadQuery(PageQuery, frozen=True, kw_only=True):
    """Which dead jobs are listed."""

    type: DeadType | None = None
    reason: str | None = None
    subject: str | None = None
    died_after: datetime | None = msgspec.field(default=None, name="from")  # itself included
    died_before: datetime | None = msgspec.field(default=None, name="to")  # itself not included


class DiscardQuery(Query, frozen=True, kw_only=True):
    """Which dead jobs are let go: by a filter, or all of them."""

    type: DeadType | None = None
    reason: str | None = None
    subject: str | None = None
    died_after: datetime | None = msgspec.field(default=None, name="from")
    died_before: datetime | None = msgspec.field(default=None, name="to")
    everything: bool = msgspec.field(default=False, name="all")
    limit: AtOnce = AT_ONCE


class Redrive(Body, frozen=True, kw_only=True):
    """Which dead jobs are sent back: by a filter, or all of them."""

    type: DeadType | None = None
    reason: str | None = None
    subject: str | None = None
    died_after: datetime | None = msgspec.field(default=None, name="from")
    died_before: datetime | None = msgspec.field(default=None, name="to")
    everything: bool = msgspec.field(default=False, name="all")
    limit: AtOnce = AT_ONCE
    rate_per_s: Annotated[float, msgspec.Meta(ge=0.01, le=10_000)] | None = None  # null: all at once
    dry_run: bool = False


class RecurringQuery(PageQuery, frozen=True, kw_only=True):
    """Which recurring jobs are listed."""

    type: JobType | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes have done with the jobs of a type."""

    completed: int
    failed: int  # runs that failed; most of them are tried again
    active: int  # runs under way


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """What is due and not sent yet."""

    due: int
    oldest_s: float | None  # how long the oldest is overdue; null: nothing is due


class Deaths(msgspec.Struct, frozen=True, kw_only=True):
    """How many jobs of a type died of a reason."""

    type: str
    reason: str
    count: int
    oldest: datetime
    newest: datetime


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, what is due, and what died."""

    types: dict[str, Counts]
    outbox: Outbox
    dead: list[Deaths]


class Queues(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that wait in each queue of the broker."""

    queues: dict[str, int]


class FailedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run that failed."""

    attempt: int
    at: datetime
    error: str


class DeadJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that cannot succeed."""

    id: UUID
    type: str
    subject: str
    reason: str
    error: str | None
    attempt: int  # the number of its last run
    priority: str
    died_at: datetime


class DeadJobInFull(DeadJob, frozen=True, kw_only=True):
    """A job that cannot succeed, with all that it carried."""

    failures: list[FailedRun]  # oldest first
    headers: dict[str, str]
    payload: Any  # null where it is no JSON
    payload_base64: str | None  # where it is none


class RefusedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A dead job that stays where it is."""

    id: UUID
    reason: str


class Redriven(msgspec.Struct, frozen=True, kw_only=True):
    """What came of sending dead jobs back."""

    redriven: int
    dry_run: bool
    refused: list[RefusedJob]
    more: bool  # the limit was reached: there may be more of them


class Discarded(msgspec.Struct, frozen=True, kw_only=True):
    """How many dead jobs were let go."""

    discarded: int
    more: bool  # the limit was reached: there may be more of them


class CleanupQuery(Query, frozen=True, kw_only=True):
    """Whether to only say what would be done."""

    dry_run: bool = False


class OldRows(msgspec.Struct, frozen=True, kw_only=True):
    """What is old enough to go by one policy."""

    table: str
    kept_days: int | None  # null: for ever
    fate: Literal["archived", "deleted"]
    rows: int
    rows_are_exact: bool  # false: there are more; counting ended there


class Cleanup(msgspec.Struct, frozen=True, kw_only=True):
    """What a cleanup lets go, counted before it begins."""

    dry_run: bool
    policies: list[OldRows]


class RecurringJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is due again and again."""

    name: str
    type: str
    every_ms: int | None
    cron: str | None
    zone: str | None  # of the cron rule
    misfire: str  # what becomes of due times that were missed
    next_due_at: datetime
    last_fired_at: datetime | None
    paused_at: datetime | None
    error: str | None  # why the scheduler itself paused it
