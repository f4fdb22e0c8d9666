"""What clients, and the platform's page, send to connect an account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from services.api.http import Body, Query


class NewConnection(Body, frozen=True, kw_only=True):
    """How the account that is connected shall publish."""

    protocol_id: str | None = None
    proxy_id: UUID | None = None


class Connecting(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send the account's owner, once, until when."""

    authorize_url: str
    expires_at: datetime


class Callback(Query, frozen=True, kw_only=True):
    """What the owner comes back with from the platform's page."""

    state: str | None = None
    code: str | None = None
    error: str | None = None
    error_description: str | None = None
