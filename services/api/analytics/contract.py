"""What clients ask and get of numbers over time."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from services.api.http import PageQuery


class AnalyticsSource(StrEnum):
    """Where numbers come from."""

    PROFILE = "profile"  # the account as it stood then
    ACCOUNT_INSIGHTS = "account_insights"  # what happened on one whole day, UTC
    MEDIA_INSIGHTS = "media_insights"  # all that a publication had until then


class AnalyticsQuery(PageQuery, frozen=True, kw_only=True):
    """Which snapshots are listed."""

    source: AnalyticsSource | None = None
    publication_id: UUID | None = None
    begin: datetime | None = msgspec.field(name="from", default=None)  # of captured_at
    end: datetime | None = msgspec.field(name="to", default=None)  # of captured_at, excluded


class AnalyticsWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What numbers cover."""

    begin: datetime | None = msgspec.field(name="from")  # null: all there was until then
    end: datetime = msgspec.field(name="to")


class AnalyticsSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers as the platform gave them at one time."""

    id: UUID
    source: AnalyticsSource
    publication_id: UUID | None  # null: the account's own numbers
    window: AnalyticsWindow
    captured_at: datetime
    freshness_s: int  # how long ago that was
    metrics: dict[str, int | float | None]  # null: the platform had no number, which is not 0
    deltas: dict[str, int | float | None]  # to the snapshot before; null where either has no number
    deltas_since: datetime | None  # when the snapshot before was captured; null: there is none
