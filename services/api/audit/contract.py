"""What clients send and get of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.api.http import PageQuery


class AuditQuery(PageQuery, frozen=True, kw_only=True):
    """Which changes: of one thing, and from when to when."""

    subject_type: str | None = None
    subject_id: str | None = None
    from_: datetime | None = msgspec.field(default=None, name="from")
    to: datetime | None = None


class AuditSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What was changed."""

    type: str  # the resource in the singular: `account`, `api_key`, ...
    id: str


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who changed what."""

    id: UUID
    at: datetime
    actor: str | None  # the key that asked, by the part that is no secret; null where no key did
    action: str  # `account.paused`
    subject: AuditSubject
    before: dict[str, Any] | None  # what clients saw of it; null where that is not told
    after: dict[str, Any] | None
    request_id: str | None
