"""What clients send and get of accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from services.api.http import NEEDED, Body, CreatedSort, PageQuery
from shared.accounts import AccountState
from shared.publications import PublicationState


class AccountsQuery(PageQuery, frozen=True, kw_only=True):
    """Which accounts."""

    state: AccountState | None = None
    tag: str | None = None
    username: str | None = None  # whole, in any case
    group_id: UUID | None = None
    proxy_id: UUID | None = None
    protocol_id: str | None = None
    sort: CreatedSort = CreatedSort.NEWEST


#: Descriptions alone: what is wrong is told by the rules of imports, all of it at once.
_Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
_Id = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uuid"})]


class NewAccount(Body, frozen=True, kw_only=True):
    """An account to be added; every fault of it is told at once."""

    username: Annotated[str, NEEDED] = ""
    instagram_user_id: Annotated[str, NEEDED] = ""
    access_token: Annotated[str | None, NEEDED] = None
    token_expires_at: _Time | None = None
    tags: list[str] | str | None = None
    proxy_id: _Id | None = None
    protocol_id: str | None = None


#: An empty text neither changes anything nor takes anything away; where that can be done, null does it.
_Text = Annotated[str, msgspec.Meta(pattern=r"\S")]


class AccountChange(Body, frozen=True, kw_only=True):
    """What shall be another; what is left out stays as it is."""

    username: _Text | msgspec.UnsetType = msgspec.UNSET
    tags: list[str] | msgspec.UnsetType = msgspec.UNSET
    access_token: _Text | msgspec.UnsetType = msgspec.UNSET
    token_expires_at: _Text | msgspec.UnsetType = msgspec.UNSET
    proxy_id: UUID | msgspec.UnsetType | None = msgspec.UNSET  # null: none
    protocol_id: _Text | msgspec.UnsetType | None = msgspec.UNSET  # null: none


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An Instagram professional account; its token never leaves."""

    id: UUID
    username: str
    instagram_user_id: str
    state: AccountState
    state_reason: str | None
    can_publish: bool
    held_because: str | None  # why it cannot: the reason that its publications are held with
    tags: list[str]
    proxy_id: UUID | None
    protocol_id: str | None
    token_expires_at: datetime | None
    token_obtained_at: datetime | None
    token_scopes: list[str] | None  # null: the platform did not say
    created_at: datetime
    updated_at: datetime


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform says of an account now."""

    account: Account
    token_valid: bool
    problem: str | None  # why it is not, in a sentence with what to do
    account_type: str | None  # such as BUSINESS; null where the platform did not say
    quota_used: int | None  # publications the platform counts in 24 hours; null where it did not say
    quota_total: int | None


class WarmUp(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account stands in its protocol."""

    protocol_id: str
    day: int  # from 1
    days: int
    began_at: datetime | None  # the day; null before the first publication
    cap: int  # publications that the day allows; half of them while the account is at risk
    used: int  # what may be live counts as if it were
    min_gap_s: int


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """How much an account may publish, as far as this system knows."""

    account_id: UUID
    published_24h: int  # through this system
    quota_total: int | None  # what the platform allows in 24 hours, as it last said
    warmup: WarmUp | None  # null: no protocol, or it is over
    health_cap: int | None  # publications in 24 hours while it is at risk; null: it is not, it warms up, or no quota
    next_slot_at: datetime | None  # null: at once
    next_slot_reason: str | None  # quota, warmup_cap, warmup_gap or health_cap
    as_of: datetime


class AccountPublicationsQuery(PageQuery, frozen=True, kw_only=True):
    """Which of an account's publications."""

    state: PublicationState | None = None
