"""What clients send to follow events."""

from __future__ import annotations

from services.api.http import Query


class EventQuery(Query, frozen=True, kw_only=True):
    """Which events, and from where."""

    types: str | None = None  # parted by commas; `publication.*` stands for all of a kind
    last_event_id: str | None = None  # for clients that cannot send the header `Last-Event-ID`
