"""What clients send and get of groups."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec

from services.api.http import Body, CreatedSort, PageQuery

MEMBERS_MAX = 10_000
AccountIds: TypeAlias = Annotated[list[UUID], msgspec.Meta(max_length=MEMBERS_MAX)]


class GroupsQuery(PageQuery, frozen=True, kw_only=True):
    """Which groups are listed."""

    tag: str | None = None
    account_id: UUID | None = None  # those that it is in
    sort: CreatedSort = CreatedSort.NEWEST


class NewGroup(Body, frozen=True, kw_only=True):
    """A group to be made."""

    name: str
    color: str | None = None
    tags: list[str] = msgspec.field(default_factory=list)
    account_ids: AccountIds = msgspec.field(default_factory=list)


class GroupChange(Body, frozen=True, kw_only=True):
    """What is to be another; what is left out stays."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    color: str | msgspec.UnsetType | None = msgspec.UNSET
    tags: list[str] | msgspec.UnsetType = msgspec.UNSET


class MembersChange(Body, frozen=True, kw_only=True):
    """Who comes into a group, and who leaves it."""

    add: AccountIds = msgspec.field(default_factory=list)
    remove: AccountIds = msgspec.field(default_factory=list)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of accounts."""

    id: UUID
    name: str
    color: str | None
    tags: list[str]
    account_count: int
    created_at: datetime
    updated_at: datetime
