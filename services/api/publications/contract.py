"""What clients send and get of publications."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import msgspec

from services.api.http import Body, PageQuery
from shared.publications import PublicationState


class PublicationSort(StrEnum):
    """In which order."""

    NEWEST = "-created_at"
    OLDEST = "created_at"
    FIRST_DUE = "publish_at"
    LAST_DUE = "-publish_at"


class PublicationsQuery(PageQuery, frozen=True, kw_only=True):
    """Which publications."""

    state: PublicationState | None = None
    account_id: UUID | None = None
    group_id: UUID | None = None  # those of the accounts that are its members now
    post_id: UUID | None = None
    distribution_id: UUID | None = None
    begin: datetime | None = msgspec.field(name="from", default=None)  # of publish_at
    end: datetime | None = msgspec.field(name="to", default=None)  # of publish_at, excluded
    sort: PublicationSort = PublicationSort.NEWEST
    archived: bool = False  # those that ended long ago, instead of the others


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One post on one account at one time."""

    id: UUID
    post_id: UUID
    account_id: UUID
    distribution_id: UUID | None
    publish_at: datetime
    state: PublicationState
    reason: str | None
    max_lateness_s: int | None
    revision: int
    attempt: int
    max_attempts: int
    next_attempt_at: datetime
    media_id: str | None  # at the platform
    permalink: str | None
    published_at: datetime | None
    error: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    archived: bool  # it ended long ago and is only read


class PublicationChange(Body, frozen=True, kw_only=True):
    """What is to be changed of a publication that waits."""

    publish_at: datetime | msgspec.UnsetType = msgspec.UNSET
    max_lateness_s: int | msgspec.UnsetType | None = msgspec.UNSET


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the publications that waited for what was removed, and of the schedules that used it."""

    canceled: int
    in_flight: list[UUID]  # a worker has them, and ends them before it asks the platform to publish
    sent: list[UUID]  # the publish call was sent already: they may be live
    paused_schedules: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a publication."""

    epoch: int
    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    step: str | None
    error: dict[str, Any] | None


class Retry(Body, frozen=True, kw_only=True):
    """How to retry; a body is not needed."""

    allow_duplicate: bool = False


class Resolve(Body, frozen=True, kw_only=True):
    """What became of it, and where it is."""

    outcome: Literal["published", "failed"]
    media_id: str | None = None
    permalink: str | None = None
