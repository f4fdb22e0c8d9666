"""SQL of posts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.posts.derive_status import derive_status
from shared.database import Connection, Row

# The counts are served by the index publications_post_page.
LIST = """
    SELECT id, type, caption, media_ids, overrides, created_at, updated_at,
           (SELECT jsonb_object_agg(state, number)
            FROM (SELECT state, count(*) AS number FROM publications
                  WHERE publications.user_id = posts.user_id AND publications.post_id = posts.id
                  GROUP BY state) AS counted) AS counts
    FROM posts
    WHERE user_id = $1
"""
_FIND = f"{LIST} AND id = $2"
_INSERT = """
    INSERT INTO posts (id, user_id, type, caption, media_ids, overrides)
    VALUES ($1, $2, 'image', $3, $4, $5::jsonb)
    RETURNING id
"""


async def insert(
    tx: Connection, *, caption: str, media_ids: Sequence[UUID], overrides: Mapping[str, Any], user_id: UUID
) -> UUID:
    """Store a post; returns its id."""
    post_id: UUID = await tx.fetchval(_INSERT, uuid7(), user_id, caption, list(media_ids), json.dumps(overrides))
    return post_id


async def find(connection: Connection, post_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's posts."""
    return await connection.fetchrow(_FIND, user_id, post_id)


def present(row: Row) -> dict[str, Any]:
    """A post as clients see it."""
    counts = json.loads(row["counts"] or "{}")
    shown = {name: value for name, value in row.items() if name not in {"counts", "overrides"}}
    return shown | {"overrides": json.loads(row["overrides"]), "status": derive_status(counts), "counts": counts}
