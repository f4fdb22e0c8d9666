"""What clients send and get of posts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from services.api.http import Body, Fault, PageQuery
from services.api.posts.derive_status import PostStatus
from shared.publications import DEFAULT_MAX_LATENESS_S, PostOptions, PostType


class PostSort(StrEnum):
    """The orders of the list."""

    NEWEST = "-created_at"
    OLDEST = "created_at"
    LAST_CHANGED = "-updated_at"
    FIRST_CHANGED = "updated_at"


class PostsQuery(PageQuery, frozen=True, kw_only=True):
    """Which posts."""

    type: PostType | None = None
    media_id: UUID | None = None  # shown, or as a cover
    begin: datetime | None = msgspec.field(name="from", default=None)  # of created_at
    end: datetime | None = msgspec.field(name="to", default=None)  # of created_at, excluded
    sort: PostSort = PostSort.NEWEST


class Override(Body, frozen=True, kw_only=True):
    """What one account says instead."""

    caption: str


class NewPost(Body, frozen=True, kw_only=True):
    """A post as a client wants it."""

    type: PostType = PostType.IMAGE
    caption: str = ""
    media_ids: list[UUID]
    overrides: dict[UUID, Override] = msgspec.field(default_factory=dict)
    options: PostOptions = PostOptions()


class PostChange(Body, frozen=True, kw_only=True):
    """What a post shall say and show instead; what is left out stays."""

    type: PostType | msgspec.UnsetType = msgspec.UNSET
    caption: str | msgspec.UnsetType = msgspec.UNSET
    media_ids: list[UUID] | msgspec.UnsetType = msgspec.UNSET
    overrides: dict[UUID, Override] | msgspec.UnsetType = msgspec.UNSET
    options: PostOptions | msgspec.UnsetType = msgspec.UNSET


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """Content, and what its publications say about it."""

    id: UUID
    type: PostType
    caption: str
    media_ids: list[UUID]
    overrides: dict[UUID, Override]
    options: PostOptions
    status: PostStatus
    counts: dict[str, int]  # its publications by state
    created_at: datetime
    updated_at: datetime


class Publish(Body, frozen=True, kw_only=True):
    """Where and when."""

    account_ids: list[UUID] | None = None
    group_id: UUID | None = None
    publish_at: datetime | None = None
    max_lateness_s: int | None = DEFAULT_MAX_LATENESS_S
    allow_duplicate: bool = False


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The publications that were made."""

    post_id: UUID
    publish_at: datetime
    publications: list[UUID]


class Validate(Body, frozen=True, kw_only=True):
    """Where it would be published; without accounts the post alone is looked at."""

    account_ids: list[UUID] | None = None
    group_id: UUID | None = None
    allow_duplicate: bool = False


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing would be refused for."""

    valid: bool
    errors: list[Fault]
    warnings: list[Fault]  # what would be accepted, and may not be meant
