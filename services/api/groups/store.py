"""SQL of groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from services.api.filters import filtered
from services.api.groups.contract import Group
from shared.database import Connection, Row

_LIST = """
    SELECT id, name, color, tags, created_at, updated_at,
           (SELECT count(*) FROM group_members
            WHERE group_members.user_id = groups.user_id AND group_members.group_id = groups.id) AS account_count
    FROM groups
    WHERE user_id = $1
"""
_FIND = f"{_LIST} AND id = $2"
# Nobody changes it meanwhile, nor who is in it. One that waited for that reads the group after it.
_LOCK = "SELECT id FROM groups WHERE user_id = $1 AND id = $2 FOR UPDATE"
# Nobody deletes it meanwhile; others may change it, and who is in it.
_HOLD = "SELECT id FROM groups WHERE user_id = $1 AND id = $2 FOR KEY SHARE"
_FIND_BY_NAME = "SELECT id FROM groups WHERE user_id = $1 AND name = $2"
_INSERT = """
    INSERT INTO groups (id, user_id, name, color, tags)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id, name) DO NOTHING
    RETURNING id
"""
_UPDATE = """
    UPDATE groups
    SET name = $3, color = $4, tags = $5, updated_at = now()
    WHERE user_id = $1 AND id = $2
"""
_DELETE = "DELETE FROM groups WHERE user_id = $1 AND id = $2"
# Both sides are chosen by user: a pair of another tenant's ids adds nothing, not even a conflict. Locked, so that an
# account that is being removed is either here before, and leaves with the others, or seen to be gone.
_ADD = """
    INSERT INTO group_members (user_id, group_id, account_id)
    SELECT user_id, $2, id
    FROM (
        SELECT user_id, id
        FROM accounts
        WHERE user_id = $1 AND id = ANY($3::uuid[]) AND removed_at IS NULL
        ORDER BY id
        FOR SHARE
    ) AS there
    ON CONFLICT (group_id, account_id) DO NOTHING
    RETURNING account_id
"""
_REMOVE = """
    DELETE FROM group_members
    WHERE user_id = $1 AND group_id = $2 AND account_id = ANY($3::uuid[])
    RETURNING account_id
"""


@dataclass(frozen=True, kw_only=True)
class GroupWrite:
    """What a group's row shall hold."""

    name: str
    color: str | None
    tags: tuple[str, ...]


def list_query(user_id: UUID, *, tag: str | None = None, account_id: UUID | None = None) -> tuple[str, list[Any]]:
    """The statement that selects a user's groups.

    Pages of it are served by the index `groups_page`; those of an account's groups by `group_members_account`.
    """
    members = "EXISTS (SELECT FROM group_members WHERE group_id = groups.id AND account_id = {})"
    return filtered(_LIST, user_id, clauses={"tags @> ARRAY[{}::text]": tag, members: account_id})


async def find(connection: Connection, group_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's groups."""
    return await connection.fetchrow(_FIND, user_id, group_id)


async def lock(tx: Connection, group_id: UUID, *, user_id: UUID) -> bool:
    """Keep a group and who is in it as they are until the transaction ends; False: the user has no such group."""
    return await tx.fetchval(_LOCK, user_id, group_id) is not None


async def hold(tx: Connection, group_id: UUID, *, user_id: UUID) -> bool:
    """Keep a group from being deleted until the transaction ends; False: the user has no such group."""
    return await tx.fetchval(_HOLD, user_id, group_id) is not None


async def insert(tx: Connection, new: GroupWrite, *, user_id: UUID) -> UUID | None:
    """Make a group; None if its name is taken."""
    made: UUID | None = await tx.fetchval(_INSERT, uuid7(), user_id, new.name, new.color, list(new.tags))
    return made


async def update(tx: Connection, group_id: UUID, wanted: GroupWrite, *, user_id: UUID) -> bool:
    """Change a group; False if its new name is taken."""
    try:
        async with tx.transaction():
            await tx.execute(_UPDATE, user_id, group_id, wanted.name, wanted.color, list(wanted.tags))
    except asyncpg.UniqueViolationError:
        return False
    return True


async def delete(tx: Connection, group_id: UUID, *, user_id: UUID) -> None:
    """Delete a group; its accounts and distributions stay."""
    await tx.execute(_DELETE, user_id, group_id)


async def find_by_name(connection: Connection, name: str, *, user_id: UUID) -> UUID | None:
    """The id of the group with this name."""
    found: UUID | None = await connection.fetchval(_FIND_BY_NAME, user_id, name)
    return found


async def add_members(tx: Connection, group_id: UUID, account_ids: Sequence[UUID], *, user_id: UUID) -> int:
    """Put accounts into one of the user's groups; answers how many were not in it."""
    return len(await tx.fetch(_ADD, user_id, group_id, list(account_ids)))


async def remove_members(tx: Connection, group_id: UUID, account_ids: Sequence[UUID], *, user_id: UUID) -> int:
    """Take accounts out of a group; answers how many were in it."""
    return len(await tx.fetch(_REMOVE, user_id, group_id, list(account_ids)))


def present(row: Row) -> Group:
    """A group as clients see it."""
    return Group(**dict(row))
