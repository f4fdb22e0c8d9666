"""What clients send and get of distributions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from services.api.http import Body, Query
from shared.publications import DEFAULT_MAX_LATENESS_S


class WindowBody(Body, frozen=True, kw_only=True):
    """A span of time, both ends included."""

    begin: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")


class NewDistribution(Body, frozen=True, kw_only=True):
    """A distribution as a client wants it."""

    post_id: UUID
    group_id: UUID
    window: WindowBody
    min_gap_s: float = 0.0
    max_lateness_s: int | None = DEFAULT_MAX_LATENESS_S
    seed: int | None = None
    allow_duplicate: bool = False


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
    publications: int
    id: UUID | msgspec.UnsetType = msgspec.UNSET  # absent in a dry run


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """One post to a group over a window of time."""

    id: UUID
    post_id: UUID
    group_id: UUID | None  # null: the group is gone
    window: WindowBody
    min_gap_s: float
    max_lateness_s: int | None
    seed: int
    counts: dict[str, int]  # its publications by state
    created_at: datetime
