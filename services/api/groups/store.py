"""SQL of groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.groups.contract import Group
from shared.database import Connection, Row

LIST = """
    SELECT id, name, color, tags, created_at, updated_at,
           (SELECT count(*) FROM group_members
            WHERE group_members.user_id = groups.user_id AND group_members.group_id = groups.id) AS account_count
    FROM groups
    WHERE user_id = $1
"""
_FIND = f"{LIST} AND id = $2"
_FIND_BY_NAME = "SELECT id FROM groups WHERE user_id = $1 AND name = $2"
_INSERT = """
    INSERT INTO groups (id, user_id, name, color, tags)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id, name) DO NOTHING
    RETURNING id
"""
# Both sides are chosen by user: a pair of another tenant's ids adds nothing, not even a conflict.
_ADD = """
    INSERT INTO group_members (user_id, group_id, account_id)
    SELECT $1, groups.id, accounts.id
    FROM groups JOIN accounts ON accounts.user_id = groups.user_id
    WHERE groups.user_id = $1 AND groups.id = $2 AND accounts.id = ANY($3::uuid[])
    ON CONFLICT (group_id, account_id) DO NOTHING
"""
_REMOVE = "DELETE FROM group_members WHERE user_id = $1 AND group_id = $2 AND account_id = $3"
_KNOWN = """
    SELECT EXISTS (SELECT FROM groups WHERE user_id = $1 AND id = $2) AS group,
           EXISTS (SELECT FROM accounts WHERE user_id = $1 AND id = $3) AS account
"""


@dataclass(frozen=True, kw_only=True)
class NewGroup:
    """A group to be made."""

    name: str
    color: str | None
    tags: tuple[str, ...]


async def find(connection: Connection, group_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's groups."""
    return await connection.fetchrow(_FIND, user_id, group_id)


async def insert(tx: Connection, new: NewGroup, *, user_id: UUID) -> UUID | None:
    """Make a group; None if its name is taken."""
    made: UUID | None = await tx.fetchval(_INSERT, uuid7(), user_id, new.name, new.color, list(new.tags))
    return made


async def find_by_name(connection: Connection, name: str, *, user_id: UUID) -> UUID | None:
    """The id of the group with this name."""
    found: UUID | None = await connection.fetchval(_FIND_BY_NAME, user_id, name)
    return found


async def add_members(tx: Connection, group_id: UUID, account_ids: Sequence[UUID], *, user_id: UUID) -> None:
    """Put accounts into a group; those in it stay in it."""
    await tx.execute(_ADD, user_id, group_id, list(account_ids))


async def remove_member(tx: Connection, group_id: UUID, account_id: UUID, *, user_id: UUID) -> None:
    """Take an account out of a group, if it is in it."""
    await tx.execute(_REMOVE, user_id, group_id, account_id)


async def known(connection: Connection, group_id: UUID, account_id: UUID, *, user_id: UUID) -> Row | None:
    """Whether the user has this group, and whether it has this account."""
    return await connection.fetchrow(_KNOWN, user_id, group_id, account_id)


def present(row: Row) -> Group:
    """A group as clients see it."""
    return Group(**dict(row))
