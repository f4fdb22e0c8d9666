"""SQL of media."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.database import Connection, Row

_INSERT = """
    INSERT INTO media (id, user_id, key, kind, mime, bytes, width, height, sha256)
    VALUES ($1, $2, $3, 'image', 'image/jpeg', $4, $5, $6, $7)
    RETURNING *
"""
_FIND = "SELECT * FROM media WHERE user_id = $1 AND id = $2"
_KNOWN = "SELECT id FROM media WHERE user_id = $1 AND id = ANY($2::uuid[])"


@dataclass(frozen=True, kw_only=True)
class NewMedia:
    """What is known of media whose bytes are kept already."""

    key: str
    bytes: int
    width: int  # pixels
    height: int  # pixels
    sha256: str  # hexadecimal


async def insert(tx: Connection, new: NewMedia, *, user_id: UUID) -> Row:
    """Write the row and return it."""
    row = await tx.fetchrow(_INSERT, uuid7(), user_id, new.key, new.bytes, new.width, new.height, new.sha256)
    if row is None:
        raise RuntimeError("INSERT ... RETURNING gave no row")
    return row


async def find(connection: Connection, media_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's media."""
    return await connection.fetchrow(_FIND, user_id, media_id)


async def missing(connection: Connection, media_ids: Sequence[UUID], *, user_id: UUID) -> list[UUID]:
    """Those ids that are no media of the user."""
    rows = await connection.fetch(_KNOWN, user_id, list(media_ids))
    found = {row["id"] for row in rows}
    return [media_id for media_id in media_ids if media_id not in found]
