"""What clients send and get of media."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from services.api.http import Body, CreatedSort, FilePart, PageQuery
from shared.instagram import MediaKind

Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class MediaQuery(PageQuery, frozen=True, kw_only=True):
    """Which media."""

    kind: MediaKind | None = None
    sha256: Sha256 | None = None  # of the bytes as they are kept
    sort: CreatedSort = CreatedSort.NEWEST


class Upload(Body, frozen=True, kw_only=True):
    """A form with the file."""

    file: FilePart
    convert: bool = False  # make a picture what the platform takes


class FromUrl(Body, frozen=True, kw_only=True):
    """Where to fetch a picture or video."""

    url: str
    convert: bool = False


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """A picture or video that is kept."""

    id: UUID
    kind: MediaKind
    mime: str
    bytes: int
    width: int
    height: int
    duration_ms: int | None
    sha256: str  # hexadecimal
    formats: list[str]  # where it can stand
    problems: dict[str, list[str]]  # why not elsewhere, by format
    url: str  # opens the file for about a day
    unreachable_since: datetime | None  # since when the test through the public address fails
    unreachable_reason: str | None
    created_at: datetime
