"""What clients send and get of media."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from services.api.http import Body


class FromUrl(Body, frozen=True, kw_only=True):
    """Where to fetch a picture or video."""

    url: str
    convert: bool = False


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """A picture or video that is kept."""

    id: UUID
    kind: str
    mime: str
    bytes: int
    width: int
    height: int
    duration_ms: int | None
    sha256: str  # hexadecimal
    formats: list[str]  # where it can stand
    problems: dict[str, list[str]]  # why not elsewhere, by format
    url: str  # opens the file for about a day
    created_at: datetime
