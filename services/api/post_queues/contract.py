"""What clients send and get of post queues."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec

from services.api.http import Body, CreatedSort, PageQuery

POSTS_MAX = 1_000
PostIds: TypeAlias = Annotated[list[UUID], msgspec.Meta(max_length=POSTS_MAX)]
MorePostIds: TypeAlias = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=POSTS_MAX)]


class OnEmpty(StrEnum):
    """What comes after the last post."""

    WAIT = "wait"  # nothing, until there are more
    REPEAT = "repeat"  # the first one: what was taken stands at the end again


class PostQueuesQuery(PageQuery, frozen=True, kw_only=True):
    """Which post queues."""

    sort: CreatedSort = CreatedSort.NEWEST


class NewPostQueue(Body, frozen=True, kw_only=True):
    """A post queue to be made."""

    name: str
    on_empty: OnEmpty = OnEmpty.WAIT
    post_ids: PostIds = msgspec.field(default_factory=list)


class PostQueueChange(Body, frozen=True, kw_only=True):
    """What is to be another; what is left out stays."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    on_empty: OnEmpty | msgspec.UnsetType = msgspec.UNSET
    post_ids: PostIds | msgspec.UnsetType = msgspec.UNSET  # instead of all that wait


class MorePosts(Body, frozen=True, kw_only=True):
    """Posts that come after those that wait."""

    post_ids: MorePostIds


class PostQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Posts that wait for a schedule to take them, one after the other."""

    id: UUID
    name: str
    on_empty: OnEmpty
    post_count: int  # that wait
    next_post_id: UUID | None
    post_ids: list[UUID] | msgspec.UnsetType = msgspec.UNSET  # in their order; absent in lists
    created_at: datetime
    updated_at: datetime
