"""What clients send and get of distributions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from services.api.http import Body, CreatedSort, Fault, PageQuery, Query
from shared.publications import DEFAULT_MAX_LATENESS_S


class DistributionState(StrEnum):
    """Where a distribution stands, by its row and the clock."""

    PLANNED = "planned"  # its window has not begun
    RUNNING = "running"
    ENDED = "ended"  # its window is over; the counts say what came of it
    PAUSED = "paused"
    CANCELED = "canceled"


class DistributionsQuery(PageQuery, frozen=True, kw_only=True):
    """Which distributions."""

    post_id: UUID | None = None
    group_id: UUID | None = None
    schedule_id: UUID | None = None
    state: DistributionState | None = None
    sort: CreatedSort = CreatedSort.NEWEST


class WindowBody(Body, frozen=True, kw_only=True):
    """A span of time, both ends included."""

    begin: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")


class OnConflict(StrEnum):
    """What becomes of a distribution that some accounts of the group cannot take."""

    REFUSE = "refuse"  # nothing is written
    SKIP = "skip"  # they are left out


class NewDistribution(Body, frozen=True, kw_only=True):
    """A distribution as a client wants it."""

    post_id: UUID
    group_id: UUID
    window: WindowBody
    min_gap_s: float = 0.0
    max_lateness_s: int | None = DEFAULT_MAX_LATENESS_S
    seed: int | None = None
    allow_duplicate: bool = False
    on_conflict: OnConflict = OnConflict.REFUSE
    plan_digest: str | None = None  # of the plan that was shown: only that one is carried out


class DryRun(Query, frozen=True, kw_only=True):
    """Whether to show the outcome and write nothing."""

    dry_run: bool = False


class PlannedPublication(msgspec.Struct, frozen=True, kw_only=True):
    """Who would publish when."""

    account_id: UUID
    publish_at: datetime


class Distributed(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of a distribution, and what was made of it."""

    seed: int
    dry_run: bool
    plan: list[PlannedPublication]
    plan_digest: str
    conflicts: list[Fault]  # the accounts of the group that are not in the plan, and why
    publications: int
    id: UUID | msgspec.UnsetType = msgspec.UNSET  # absent in a dry run


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """One post to a group over a window of time, or to the one account of a schedule."""

    id: UUID
    post_id: UUID
    group_id: UUID | None  # null: the group is gone, or a schedule made it for one account
    schedule_id: UUID | None  # that made it
    state: DistributionState
    window: WindowBody
    min_gap_s: float
    max_lateness_s: int | None
    seed: int
    counts: dict[str, int]  # its publications by state
    paused_at: datetime | None
    canceled_at: datetime | None
    created_at: datetime


class Halted(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution that was paused or canceled, and what could not be stopped any more."""

    distribution: Distribution
    stopped: int  # publications that waited, and are held or canceled now
    in_flight: list[UUID]  # publications that a worker has: they stop before anything is published
    sent: list[UUID]  # publications that the platform was asked to publish already: they may be live


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution that goes on."""

    distribution: Distribution
    released: int  # publications that are on their way again
    held: int  # publications that their account holds


class RetryFailed(Body, frozen=True, kw_only=True):
    """How to retry; a body is not needed."""

    allow_duplicate: bool = False


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution whose failed and missed publications are tried again."""

    distribution: Distribution
    retried: int
    conflicts: list[Fault]  # the accounts whose publications are not, and why
