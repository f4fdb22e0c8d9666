"""What clients send and get of proxies."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import msgspec

from services.api.http import Body, CreatedSort, PageQuery

Scheme: TypeAlias = Literal["http", "https"]
Port: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class ProxyStatus(StrEnum):
    """Whether calls get through."""

    UNKNOWN = "unknown"  # not looked at yet, or not since it was changed
    UP = "up"
    DOWN = "down"  # accounts that use it wait


class ProxiesQuery(PageQuery, frozen=True, kw_only=True):
    """Which proxies are listed."""

    status: ProxyStatus | None = None
    sort: CreatedSort = CreatedSort.NEWEST


class Credentials(Body, frozen=True, kw_only=True):
    """What a proxy asks for; written, and never shown."""

    username: str
    password: str


class NewProxy(Body, frozen=True, kw_only=True):
    """A proxy to be made."""

    name: str
    scheme: Scheme
    host: str
    port: Port
    credentials: Credentials | None = None


class ProxyChange(Body, frozen=True, kw_only=True):
    """What is to be another; what is left out stays, and `null` takes the credentials away."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    scheme: Scheme | msgspec.UnsetType = msgspec.UNSET
    host: str | msgspec.UnsetType = msgspec.UNSET
    port: Port | msgspec.UnsetType = msgspec.UNSET
    credentials: Credentials | msgspec.UnsetType | None = msgspec.UNSET


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """A way out that some accounts must take."""

    id: UUID
    name: str
    scheme: Scheme
    host: str
    port: int
    has_credentials: bool
    status: ProxyStatus
    status_reason: str | None  # why the newest look failed
    latency_ms: int | None  # of the newest look; null: it failed, or there was none
    checked_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ProxyTest(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found."""

    status: ProxyStatus  # `up` or `down`
    latency_ms: int | None
    reason: str | None  # why calls do not get through
