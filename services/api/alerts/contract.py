"""What clients ask and get of alerts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from services.api.http import PageQuery
from shared.alerts import AlertCode, AlertState, Severity


class AlertSort(StrEnum):
    """In which order alerts are listed: by when they were opened."""

    NEWEST = "-opened_at"
    OLDEST = "opened_at"


class AlertsQuery(PageQuery, frozen=True, kw_only=True):
    """Which alerts are listed."""

    state: AlertState | None = None
    severity: Severity | None = None
    code: AlertCode | None = None
    subject_id: UUID | None = None
    sort: AlertSort = AlertSort.NEWEST


class AlertSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong."""

    type: str  # account, schedule, post_queue, incident
    id: UUID


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What a person should know of one subject."""

    id: UUID
    code: AlertCode
    severity: Severity
    state: AlertState
    subject: AlertSubject
    text: str
    advice: str
    details: dict[str, Any]
    count: int  # how often something new was said of it
    opened_at: datetime
    seen_at: datetime  # when that was last
    escalated_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None  # the key, by the part that is no secret
    resolved_at: datetime | None
    resolved_by: str | None  # the key; null: what it told of is over
