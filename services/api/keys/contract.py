"""What clients send and get of API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from services.api.http import Body, Scope

ACCOUNTS_MAX = 1_000
_DAY_S = 24 * 3600
_OVERLAP_DAYS_MAX = 30

Scopes = Annotated[list[Scope], msgspec.Meta(min_length=1)]
AccountIds = Annotated[
    list[UUID],
    msgspec.Meta(min_length=1, max_length=ACCOUNTS_MAX, description="The only accounts it may see and act on."),
]
End = Annotated[datetime | None, msgspec.Meta(description="When it ends; null: never.")]


class NewKey(Body, frozen=True, kw_only=True):
    """A key to be made."""

    name: str
    scopes: Scopes
    account_ids: AccountIds | None = None
    expires_at: End = None


class KeyChanges(Body, frozen=True, kw_only=True):
    """What is to be different about a key."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    scopes: Scopes | msgspec.UnsetType = msgspec.UNSET
    account_ids: AccountIds | msgspec.UnsetType | None = msgspec.UNSET
    expires_at: datetime | msgspec.UnsetType | None = msgspec.UNSET


class Rotation(Body, frozen=True, kw_only=True):
    """How a key is taken over from."""

    overlap_s: Annotated[
        int, msgspec.Meta(ge=0, le=_OVERLAP_DAYS_MAX * _DAY_S, description="How long the old key still works.")
    ] = _DAY_S
    expires_at: datetime | msgspec.UnsetType | None = msgspec.UNSET


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, without its secret."""

    id: UUID
    key_id: Annotated[str, msgspec.Meta(description="The part of the key that is no secret.")]
    name: str
    scopes: list[Scope]
    account_ids: list[UUID] | None
    expires_at: datetime | None
    last_used_at: Annotated[datetime | None, msgspec.Meta(description="About when: it is written once a minute.")]
    created_at: datetime
    revoked_at: datetime | None
    replaces: Annotated[UUID | None, msgspec.Meta(description="The key that it takes over from.")]


class MadeApiKey(ApiKey, frozen=True, kw_only=True):
    """An API key that was just made, with its secret."""

    key: Annotated[str, msgspec.Meta(description="What the client sends. It is shown this once.")]
