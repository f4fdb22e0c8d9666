"""What clients send and get of groups."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from services.api.http import Body


class NewGroup(Body, frozen=True, kw_only=True):
    """A group to be made."""

    name: str
    color: str | None = None
    tags: list[str] = msgspec.field(default_factory=list)
    account_ids: list[UUID] = msgspec.field(default_factory=list)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of accounts."""

    id: UUID
    name: str
    color: str | None
    tags: list[str]
    account_count: int
    created_at: datetime
    updated_at: datetime
