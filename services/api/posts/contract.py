"""What clients send and get of posts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from services.api.http import Body
from services.api.posts.derive_status import PostStatus
from shared.publications import DEFAULT_MAX_LATENESS_S, PostOptions, PostType


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
