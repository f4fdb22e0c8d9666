"""SQL of posts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from services.api.filters import filtered
from services.api.http import Caller
from services.api.posts.content import Content
from services.api.posts.contract import Override, Post
from services.api.posts.derive_status import derive_status
from shared.database import Connection, Row
from shared.publications import PostOptions, PostType

# The counts are served by the index publications_post_page; $2: of these accounts only.
_POSTS = """
    SELECT id, type, caption, media_ids, overrides, options, created_at, updated_at,
           (SELECT jsonb_object_agg(state, number)
            FROM (SELECT state, count(*) AS number FROM publications
                  WHERE publications.user_id = posts.user_id AND publications.post_id = posts.id
                    AND ($2::uuid[] IS NULL OR publications.account_id = ANY($2::uuid[]))
                  GROUP BY state) AS counted) AS counts,
           {archived} AS archived_counts
    FROM posts
    WHERE user_id = $1 AND removed_at IS NULL
"""
_LIST = _POSTS.format(archived="archived_counts")
# The post itself counts all accounts; what it says of some stands in the archive alone.
_LIST_LIMITED = _POSTS.format(
    archived="""CASE WHEN archived_counts = '{}' THEN archived_counts ELSE (
               SELECT coalesce(jsonb_object_agg(state, number), '{}')
               FROM (SELECT state, count(*) AS number FROM publications_archive
                     WHERE publications_archive.user_id = posts.user_id AND publications_archive.post_id = posts.id
                       AND publications_archive.account_id = ANY($2::uuid[])
                     GROUP BY state) AS counted) END"""
)
_FIND = f"{_LIST} AND id = $3"
_FIND_LIMITED = f"{_LIST_LIMITED} AND id = $3"
_SHOWS = "(media_ids @> ARRAY[{0}::uuid] OR options ->> 'cover_media_id' = {0}::uuid::text)"
# Found first, whatever the list is sorted by: the planner takes a medium for one that many posts show, and would walk
# through all posts for the few that do.
_OF_MEDIA = f"id = ANY(ARRAY(SELECT id FROM posts WHERE user_id = $1 AND {_SHOWS}))"  # noqa: S608 - of constants alone
_LOCK = "SELECT * FROM posts WHERE user_id = $1 AND id = $2 AND removed_at IS NULL FOR UPDATE"
_LOCK_SHOWING = f"""
    SELECT id FROM posts
    WHERE user_id = $1 AND removed_at IS NULL AND {_SHOWS.format("$2")}
    ORDER BY id
    FOR UPDATE
"""  # noqa: S608 - built of constants alone
# Nobody removes them meanwhile. In the order in which all lock several.
_HOLD_ALL = """
    SELECT id FROM posts
    WHERE user_id = $1 AND id = ANY($2::uuid[]) AND removed_at IS NULL
    ORDER BY id
    FOR KEY SHARE
"""
_INSERT = """
    INSERT INTO posts (id, user_id, type, caption, media_ids, overrides, options)
    VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb)
    RETURNING id
"""
_UPDATE = """
    UPDATE posts
    SET type = $3, caption = $4, media_ids = $5, overrides = $6::jsonb, options = $7::jsonb, updated_at = now()
    WHERE id = $1 AND user_id = $2
"""
_REMOVE = "UPDATE posts SET removed_at = now() WHERE user_id = $1 AND id = $2"
_AWAITED = """
    SELECT count(*) AS number, (array_agg(id ORDER BY id))[1:3] AS examples,
           array_agg(DISTINCT account_id) AS account_ids
    FROM publications
    WHERE user_id = $1 AND post_id = ANY($2::uuid[]) AND state IN ('scheduled', 'held', 'publishing')
"""
# What is being published is locked too: it is waited for until it is seen which it is.
_LOCK_AWAITED = """
    SELECT id, account_id
    FROM publications
    WHERE user_id = $1 AND post_id = $2 AND state IN ('scheduled', 'held', 'publishing')
    ORDER BY id
    FOR NO KEY UPDATE
"""
_FIXED = """
    SELECT id, account_id FROM publications
    WHERE user_id = $1 AND post_id = $2
      AND (state IN ('publishing', 'published', 'outcome_unknown') OR step = 'publish_sent')
    UNION ALL
    SELECT id, account_id FROM publications_archive
    WHERE user_id = $1 AND post_id = $2 AND state = 'published'
    LIMIT 1
"""
_DECODED = {"type", "overrides", "options", "counts", "archived_counts"}


def list_query(
    user_id: UUID,
    *,
    allowed: Sequence[UUID] | None,
    type_: str | None,
    media_id: UUID | None,
    begin: datetime | None,
    end: datetime | None,
) -> tuple[str, list[Any]]:
    """The statement that selects a user's posts, counted on the `allowed` accounts, or on all.

    `begin` and `end` bound `created_at`, the end excluded.
    """
    clauses: dict[str, Any] = {
        "type = {}": type_,
        _OF_MEDIA: media_id,
        "created_at >= {}": begin,
        "created_at < {}": end,
    }
    return filtered(_LIST if allowed is None else _LIST_LIMITED, user_id, allowed, clauses=clauses)


async def insert(tx: Connection, content: Content, *, user_id: UUID) -> UUID:
    """Store a post; returns its id."""
    post_id: UUID = await tx.fetchval(_INSERT, uuid7(), user_id, *_columns(content))
    return post_id


async def update(tx: Connection, post_id: UUID, content: Content, *, user_id: UUID) -> None:
    """Let a post say and show something else."""
    await tx.execute(_UPDATE, post_id, user_id, *_columns(content))


async def remove(tx: Connection, post_id: UUID, *, user_id: UUID) -> None:
    """Note that a post was removed."""
    await tx.execute(_REMOVE, user_id, post_id)


async def find(connection: Connection, post_id: UUID, *, caller: Caller) -> Row | None:
    """One of the caller's posts."""
    statement = _FIND if caller.allowed is None else _FIND_LIMITED
    return await connection.fetchrow(statement, caller.user_id, caller.allowed, post_id)


async def lock(tx: Connection, post_id: UUID, *, user_id: UUID) -> Row | None:
    """Hold one of the user's posts as it is until the transaction ends; nobody publishes it meanwhile."""
    return await tx.fetchrow(_LOCK, user_id, post_id)


async def lock_showing(tx: Connection, media_id: UUID, *, user_id: UUID) -> list[UUID]:
    """Hold the posts that show a medium, or have it as a cover."""
    return [row["id"] for row in await tx.fetch(_LOCK_SHOWING, user_id, media_id)]


async def hold_all(tx: Connection, post_ids: Sequence[UUID], *, user_id: UUID) -> list[UUID]:
    """Keep posts from being removed until the transaction ends; answers those that are there."""
    return [row["id"] for row in await tx.fetch(_HOLD_ALL, user_id, list(post_ids))]


async def awaited(connection: Connection, post_ids: Sequence[UUID], *, user_id: UUID) -> Row | None:
    """How many publications of these posts are to come or under way, three of them, and their accounts."""
    return await connection.fetchrow(_AWAITED, user_id, list(post_ids))


async def lock_awaited(tx: Connection, post_id: UUID, *, user_id: UUID) -> list[Row]:
    """Hold the publications of a post that are to come or under way."""
    return await tx.fetch(_LOCK_AWAITED, user_id, post_id)


async def find_fixed(tx: Connection, post_id: UUID, *, user_id: UUID) -> Row | None:
    """A publication of the post that is live, or may be, or is about to be: its id and its account."""
    return await tx.fetchrow(_FIXED, user_id, post_id)


def content_of(row: Row) -> Content:
    """What the post of a row says and shows."""
    overrides = msgspec.json.decode(row["overrides"], type=dict[UUID, Override])
    return Content(
        type=PostType(row["type"]),
        caption=row["caption"],
        media_ids=row["media_ids"],
        own_captions={account_id: override.caption for account_id, override in overrides.items()},
        options=msgspec.json.decode(row["options"], type=PostOptions),
    )


def present(row: Row, *, caller: Caller) -> Post:
    """A post as the caller sees it: of other accounts than its own nothing is told."""
    counts = dict(Counter(json.loads(row["counts"] or "{}")) + Counter(json.loads(row["archived_counts"])))
    content = content_of(row)
    shown = {name: value for name, value in row.items() if name not in _DECODED}
    return Post(
        **shown,
        type=content.type,
        overrides={
            account_id: Override(caption=caption)
            for account_id, caption in content.own_captions.items()
            if caller.sees(account_id)
        },
        options=content.options,
        status=derive_status(counts),
        counts=counts,
    )


def _columns(content: Content) -> list[Any]:
    overrides = {str(account_id): {"caption": caption} for account_id, caption in content.own_captions.items()}
    return [
        content.type,
        content.caption,
        list(content.media_ids),
        json.dumps(overrides),
        msgspec.json.encode(content.options).decode(),
    ]
