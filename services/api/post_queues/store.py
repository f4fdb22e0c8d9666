"""SQL of post queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from services.api.post_queues.contract import OnEmpty, PostQueue
from shared.database import Connection, Row

_COLUMNS = """id, name, on_empty, created_at, updated_at,
           (SELECT count(*) FROM post_queue_items
            WHERE post_queue_items.user_id = post_queues.user_id AND queue_id = post_queues.id) AS post_count,
           (SELECT post_id FROM post_queue_items
            WHERE post_queue_items.user_id = post_queues.user_id AND queue_id = post_queues.id
            ORDER BY position
            LIMIT 1) AS next_post_id"""
_LIST = f"SELECT {_COLUMNS} FROM post_queues WHERE user_id = $1"  # noqa: S608 - built of constants alone
_FIND = f"""
    SELECT {_COLUMNS},
           ARRAY(SELECT post_id FROM post_queue_items
                 WHERE post_queue_items.user_id = post_queues.user_id AND queue_id = post_queues.id
                 ORDER BY position) AS post_ids
    FROM post_queues
    WHERE user_id = $1 AND id = $2
"""  # noqa: S608 - built of constants alone
# Nobody takes a post from it meanwhile, nor adds one.
_LOCK = "SELECT id FROM post_queues WHERE user_id = $1 AND id = $2 FOR UPDATE"
# Nobody removes it meanwhile.
_HOLD = "SELECT id FROM post_queues WHERE user_id = $1 AND id = $2 FOR KEY SHARE"
_LOCK_WITH = """
    SELECT id
    FROM post_queues
    WHERE user_id = $1 AND id = ANY(ARRAY(SELECT queue_id FROM post_queue_items WHERE user_id = $1 AND post_id = $2))
    ORDER BY id
    FOR UPDATE
"""
_FIND_BY_NAME = "SELECT id FROM post_queues WHERE user_id = $1 AND name = $2"
_INSERT = """
    INSERT INTO post_queues (id, user_id, name, on_empty)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id, name) DO NOTHING
    RETURNING id
"""
_UPDATE = "UPDATE post_queues SET name = $3, on_empty = $4, updated_at = now() WHERE user_id = $1 AND id = $2"
_TOUCH = "UPDATE post_queues SET updated_at = now() WHERE user_id = $1 AND id = $2"
_DELETE = "DELETE FROM post_queues WHERE user_id = $1 AND id = $2"
_ADD = """
    INSERT INTO post_queue_items (user_id, queue_id, post_id)
    SELECT $1, $2, post_id
    FROM unnest($3::uuid[]) WITH ORDINALITY AS given (post_id, place)
    ORDER BY place
"""
_CLEAR = "DELETE FROM post_queue_items WHERE user_id = $1 AND queue_id = $2"
_DROP_POST = "DELETE FROM post_queue_items WHERE user_id = $1 AND post_id = $2"


def list_query(user_id: UUID) -> tuple[str, list[Any]]:
    """The statement that selects a user's post queues."""
    return _LIST, [user_id]


async def find(connection: Connection, queue_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's post queues, with the posts that wait in it."""
    return await connection.fetchrow(_FIND, user_id, queue_id)


async def lock(tx: Connection, queue_id: UUID, *, user_id: UUID) -> bool:
    """Hold a post queue and what waits in it; False: the user has no such queue. After schedules, before posts."""
    return await tx.fetchval(_LOCK, user_id, queue_id) is not None


async def hold(tx: Connection, queue_id: UUID, *, user_id: UUID) -> bool:
    """Keep a post queue from being removed until the transaction ends; False: the user has no such queue."""
    return await tx.fetchval(_HOLD, user_id, queue_id) is not None


async def lock_with(tx: Connection, post_id: UUID, *, user_id: UUID) -> list[UUID]:
    """Hold the post queues in which a post waits."""
    return [row["id"] for row in await tx.fetch(_LOCK_WITH, user_id, post_id)]


async def find_by_name(connection: Connection, name: str, *, user_id: UUID) -> UUID | None:
    """The id of the post queue with this name."""
    found: UUID | None = await connection.fetchval(_FIND_BY_NAME, user_id, name)
    return found


async def insert(tx: Connection, *, name: str, on_empty: OnEmpty, user_id: UUID) -> UUID | None:
    """Make an empty post queue; None if its name is taken."""
    made: UUID | None = await tx.fetchval(_INSERT, uuid7(), user_id, name, on_empty)
    return made


async def update(tx: Connection, queue_id: UUID, *, name: str, on_empty: OnEmpty, user_id: UUID) -> bool:
    """Change a post queue; False if its new name is taken."""
    try:
        async with tx.transaction():
            await tx.execute(_UPDATE, user_id, queue_id, name, on_empty)
    except asyncpg.UniqueViolationError:
        return False
    return True


async def delete(tx: Connection, queue_id: UUID, *, user_id: UUID) -> None:
    """Delete a post queue; its posts stay."""
    await tx.execute(_DELETE, user_id, queue_id)


async def add(tx: Connection, queue_id: UUID, post_ids: Sequence[UUID], *, user_id: UUID) -> None:
    """Put posts behind those that wait."""
    await tx.execute(_ADD, user_id, queue_id, list(post_ids))
    await tx.execute(_TOUCH, user_id, queue_id)


async def clear(tx: Connection, queue_id: UUID, *, user_id: UUID) -> None:
    """Let nothing wait in a post queue any more."""
    await tx.execute(_CLEAR, user_id, queue_id)


async def drop_post(tx: Connection, post_id: UUID, *, user_id: UUID) -> None:
    """Take a post out of all queues in which it waits."""
    await tx.execute(_DROP_POST, user_id, post_id)


def present(row: Row) -> PostQueue:
    """A post queue as clients see it."""
    return PostQueue(**dict(row) | {"on_empty": OnEmpty(row["on_empty"])})
