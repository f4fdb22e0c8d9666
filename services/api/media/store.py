"""SQL of media, and what was found out about one as its row keeps it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.filters import filtered
from shared.database import Connection, Row
from shared.instagram import MediaFacts

_INSERT = """
    INSERT INTO media (id, user_id, key, kind, mime, bytes, width, height, duration_ms, facts, sha256)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11)
    RETURNING *
"""
# What was removed is there only for what was published with it. The filters are served by the indexes media_page,
# media_kind_page and media_content.
_LIST = "SELECT * FROM media WHERE user_id = $1 AND removed_at IS NULL"
_FIND = f"{_LIST} AND id = $2"
_FIND_ALL = f"{_LIST} AND id = ANY($2::uuid[])"
_LOCK = f"{_FIND} FOR UPDATE"
# In the order in which all lock several media. A removal waits until the post that is to show them is there.
_HOLD = """
    SELECT 1 FROM media
    WHERE user_id = $1 AND removed_at IS NULL AND id = ANY($2::uuid[])
    ORDER BY id
    FOR SHARE
"""
_HAS_KEY = "SELECT EXISTS (SELECT FROM media WHERE user_id = $1 AND key = $2)"
_REMOVE = "UPDATE media SET removed_at = now() WHERE user_id = $1 AND id = $2"
_TO_DROP = """
    SELECT id, key FROM media
    WHERE removed_at IS NOT NULL AND dropped_at IS NULL
    ORDER BY removed_at
    LIMIT $1
"""
_NOTE_DROPPED = "UPDATE media SET dropped_at = now() WHERE id = ANY($1::uuid[])"

#: Facts with a column of their own; the others stand together in `facts`.
_COLUMNS = ("kind", "mime", "bytes", "width", "height", "duration_ms")
_IN_FACTS = tuple(field.name for field in fields(MediaFacts) if field.name not in _COLUMNS)


@dataclass(frozen=True, kw_only=True)
class NewMedia:
    """A medium whose bytes are kept already."""

    key: str
    facts: MediaFacts
    sha256: str  # hexadecimal


def list_query(user_id: UUID, *, kind: str | None, sha256: str | None) -> tuple[str, list[Any]]:
    """The statement that selects a user's media."""
    return filtered(_LIST, user_id, clauses={"kind = {}": kind, "sha256 = {}": sha256})


async def insert(tx: Connection, new: NewMedia, *, user_id: UUID) -> Row:
    """Write the row and return it."""
    known = asdict(new.facts)
    others = {name: known[name] for name in _IN_FACTS if known[name] is not None}
    columns = [known[name] for name in _COLUMNS]
    row = await tx.fetchrow(_INSERT, uuid7(), user_id, new.key, *columns, json.dumps(others), new.sha256)
    if row is None:
        raise RuntimeError("INSERT ... RETURNING gave no row")
    return row


def facts_of(row: Row) -> MediaFacts:
    """What was found out about the medium of a row."""
    others = json.loads(row["facts"])
    return MediaFacts(**{name: row[name] for name in _COLUMNS}, **{name: others.get(name) for name in _IN_FACTS})


async def find(connection: Connection, media_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's media."""
    return await connection.fetchrow(_FIND, user_id, media_id)


async def find_all(connection: Connection, media_ids: Sequence[UUID], *, user_id: UUID) -> dict[UUID, Row]:
    """Those of these media that are the user's, by id."""
    rows = await connection.fetch(_FIND_ALL, user_id, list(media_ids))
    return {row["id"]: row for row in rows}


async def has_key(connection: Connection, key: str, *, user_id: UUID) -> bool:
    """Whether a row of the user names these bytes."""
    named: bool = await connection.fetchval(_HAS_KEY, user_id, key)
    return named


async def hold_all(tx: Connection, media_ids: Sequence[UUID], *, user_id: UUID) -> None:
    """Keep those of these media that are there from being removed until the transaction ends."""
    await tx.execute(_HOLD, user_id, list(media_ids))


async def lock(tx: Connection, media_id: UUID, *, user_id: UUID) -> Row | None:
    """Hold one of the user's media as it is until the transaction ends."""
    return await tx.fetchrow(_LOCK, user_id, media_id)


async def remove(tx: Connection, media_id: UUID, *, user_id: UUID) -> None:
    """Note that a medium was removed."""
    await tx.execute(_REMOVE, user_id, media_id)


async def to_drop(connection: Connection, *, limit: int) -> list[Row]:
    """Removed media whose bytes are still there."""
    return await connection.fetch(_TO_DROP, limit)


async def note_dropped(connection: Connection, media_ids: Sequence[UUID]) -> None:
    """Note that the bytes of removed media are gone."""
    await connection.execute(_NOTE_DROPPED, list(media_ids))
