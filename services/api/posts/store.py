"""SQL of posts."""

from __future__ import annotations

import json
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from services.api.posts.content import Content
from services.api.posts.contract import Override, Post
from services.api.posts.derive_status import derive_status
from shared.database import Connection, Row
from shared.publications import PostOptions, PostType

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
_DECODED = {"type", "overrides", "options", "counts"}


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


def present(row: Row) -> Post:
    """A post as clients see it."""
    counts = json.loads(row["counts"] or "{}")
    shown = {name: value for name, value in row.items() if name not in _DECODED}
    return Post(
        **shown,
        type=PostType(row["type"]),
        overrides=msgspec.json.decode(row["overrides"], type=dict[UUID, Override]),
        options=msgspec.json.decode(row["options"], type=PostOptions),
        status=derive_status(counts),
        counts=counts,
    )
