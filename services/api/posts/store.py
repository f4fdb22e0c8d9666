"""SQL of posts."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from services.api.posts.content import Content
from services.api.posts.derive_status import derive_status
from shared.database import Connection, Row

# The counts are served by the index publications_post_page.
LIST = """
    SELECT id, type, caption, media_ids, overrides, options, created_at, updated_at,
           (SELECT jsonb_object_agg(state, number)
            FROM (SELECT state, count(*) AS number FROM publications
                  WHERE publications.user_id = posts.user_id AND publications.post_id = posts.id
                  GROUP BY state) AS counted) AS counts
    FROM posts
    WHERE user_id = $1
"""
_FIND = f"{LIST} AND id = $2"
_INSERT = """
    INSERT INTO posts (id, user_id, type, caption, media_ids, overrides, options)
    VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb)
    RETURNING id
"""
_JSON = ("overrides", "options")


async def insert(tx: Connection, content: Content, *, user_id: UUID) -> UUID:
    """Store a post; returns its id."""
    overrides = {str(account_id): {"caption": caption} for account_id, caption in content.own_captions.items()}
    post_id: UUID = await tx.fetchval(
        _INSERT,
        uuid7(),
        user_id,
        content.type,
        content.caption,
        list(content.media_ids),
        json.dumps(overrides),
        msgspec.json.encode(content.options).decode(),
    )
    return post_id


async def find(connection: Connection, post_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's posts."""
    return await connection.fetchrow(_FIND, user_id, post_id)


def present(row: Row) -> dict[str, Any]:
    """A post as clients see it."""
    counts = json.loads(row["counts"] or "{}")
    shown = {name: value for name, value in row.items() if name not in {"counts", *_JSON}}
    decoded = {name: json.loads(row[name]) for name in _JSON}
    return shown | decoded | {"status": derive_status(counts), "counts": counts}
