"""Changing a group: its name, color and tags, or who is in it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from msgspec import UNSET

from services.api.accounts.require_accounts import require_accounts
from services.api.groups import store
from services.api.groups.contract import Group, GroupChange, MembersChange
from services.api.groups.create_group import check_group, name_taken
from services.api.http import invalid, not_found
from shared.database import Connection


@dataclass(frozen=True, kw_only=True)
class Moved:
    """How many accounts came into a group, and how many left it."""

    added: int
    removed: int


async def change_group(tx: Connection, current: Group, change: GroupChange, *, user_id: UUID) -> None:
    """Make a locked group what is wished; what the wish leaves out stays.

    Raises:
        ProblemError: a value is out of bounds, or the name is taken (`name_taken`).
    """
    wanted = check_group(
        name=current.name if change.name is UNSET else change.name,
        color=current.color if change.color is UNSET else change.color,
        tags=current.tags if change.tags is UNSET else change.tags,
    )
    if not await store.update(tx, current.id, wanted, user_id=user_id):
        raise await name_taken(tx, wanted.name, user_id=user_id)


async def change_members(tx: Connection, group_id: UUID, change: MembersChange, *, user_id: UUID) -> Moved:
    """Put accounts into a group and take others out of it: all of them, or none.

    Raises:
        ProblemError: there is no such group or account (`not_found`), or an account is named on both sides.
    """
    if not await store.hold(tx, group_id, user_id=user_id):
        raise not_found("group")
    if set(change.add) & set(change.remove):
        raise invalid("invalid_value", "An account is both added and removed; name it once.", path="remove")
    for path, account_ids in (("add", change.add), ("remove", change.remove)):
        await require_accounts(tx, list(dict.fromkeys(account_ids)), path=path, user_id=user_id)
    return Moved(
        added=await store.add_members(tx, group_id, change.add, user_id=user_id),
        removed=await store.remove_members(tx, group_id, change.remove, user_id=user_id),
    )
