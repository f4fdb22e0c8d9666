"""SQL of media, and what was found out about one as its row keeps it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.database import Connection, Row
from shared.instagram import MediaFacts

_INSERT = """
    INSERT INTO media (id, user_id, key, kind, mime, bytes, width, height, duration_ms, facts, sha256)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11)
    RETURNING *
"""
_FIND = "SELECT * FROM media WHERE user_id = $1 AND id = $2"
_FIND_ALL = "SELECT * FROM media WHERE user_id = $1 AND id = ANY($2::uuid[])"

#: Facts with a column of their own; the others stand together in `facts`.
_COLUMNS = ("kind", "mime", "bytes", "width", "height", "duration_ms")
_IN_FACTS = tuple(field.name for field in fields(MediaFacts) if field.name not in _COLUMNS)


@dataclass(frozen=True, kw_only=True)
class NewMedia:
    """A medium whose bytes are kept already."""

    key: str
    facts: MediaFacts
    sha256: str  # hexadecimal


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
