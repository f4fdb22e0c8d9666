"""What clients send and get of webhooks and their deliveries."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec

from services.api.http import Body, PageQuery

_Url: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
_Events: TypeAlias = Annotated[list[str], msgspec.Meta(max_length=100)]
_Description: TypeAlias = Annotated[str, msgspec.Meta(max_length=500)]


class WebhookState(StrEnum):
    """Whether anything is sent to it."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    """What has become of a delivery."""

    PENDING = "pending"  # it waits for its first or next try
    DELIVERED = "delivered"
    FAILED = "failed"  # it was tried for the last time


class NewWebhook(Body, frozen=True, kw_only=True):
    """A webhook to be made."""

    url: _Url
    events: _Events = msgspec.field(default_factory=list)  # types, or `publication.*`; empty: all
    description: _Description = ""


class WebhookChange(Body, frozen=True, kw_only=True):
    """What is to be changed of a webhook."""

    url: _Url | msgspec.UnsetType = msgspec.UNSET
    events: _Events | msgspec.UnsetType = msgspec.UNSET
    description: _Description | msgspec.UnsetType = msgspec.UNSET
    state: WebhookState | msgspec.UnsetType = msgspec.UNSET


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tenant's events are sent."""

    id: UUID
    url: str
    events: list[str]
    description: str
    state: WebhookState
    state_reason: str | None  # why the system disabled it: `gone`, `failing`
    failing_since: datetime | None  # nothing has got through since
    created_at: datetime
    updated_at: datetime


class WebhookWithSecret(Webhook, frozen=True, kw_only=True):
    """The same, with the secret that is shown this once."""

    secret: str


class DeliveryQuery(PageQuery, frozen=True, kw_only=True):
    """Which deliveries."""

    state: DeliveryState | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one receiver."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event_type: str
    state: DeliveryState
    attempts: int
    status: int | None  # of the last answer
    error: str | None  # why the last try failed
    latency_ms: int | None  # of the last try
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None
