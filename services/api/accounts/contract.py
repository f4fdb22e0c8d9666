"""What clients send and get of accounts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from services.api.http import Body, PageQuery, Query
from shared.accounts import AccountState


class AccountsQuery(PageQuery, frozen=True, kw_only=True):
    """Which accounts."""

    state: AccountState | None = None
    tag: str | None = None


class NewAccount(Body, frozen=True, kw_only=True):
    """An account to be added; every fault of it is told at once."""

    username: str = ""  # required
    instagram_user_id: str = ""  # required
    access_token: str | None = None  # required
    token_expires_at: str | None = None
    tags: list[str] | str | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An Instagram professional account; its token never leaves."""

    id: UUID
    username: str
    instagram_user_id: str
    state: AccountState
    state_reason: str | None
    tags: list[str]
    token_expires_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ImportQuery(Query, frozen=True, kw_only=True):
    """Whether to check the file and write nothing."""

    dry_run: bool = False


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    created: int
    updated: int
    unchanged: int
    dry_run: bool
    accounts: list[UUID] | msgspec.UnsetType = msgspec.UNSET  # of all rows, in their order; absent in a dry run
