"""Making a group, empty or with its accounts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from services.api.accounts.require_accounts import require_accounts
from services.api.groups import store
from services.api.groups.store import GroupWrite
from services.api.http import ProblemError, invalid
from services.api.names import clean_name
from services.api.tags import clean_tags
from shared.database import Connection

_COLOR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


def check_group(*, name: str, color: str | None, tags: Sequence[str]) -> GroupWrite:
    """What a client wants, if it can be had.

    Raises:
        ProblemError: a value is out of bounds.
    """
    cleaned = clean_name(name)
    if color is not None and not _COLOR.fullmatch(color):
        raise invalid("invalid_value", "A color looks like #1a2b3c.", path="color")
    try:
        return GroupWrite(name=cleaned, color=color, tags=clean_tags(tags))
    except ValueError as error:
        raise invalid("invalid_value", str(error), path="tags") from error


async def create_group(tx: Connection, new: GroupWrite, *, account_ids: Sequence[UUID], user_id: UUID) -> UUID:
    """Make a group with these accounts in it.

    Raises:
        ProblemError: the name is taken (`name_taken`), or an account is unknown (`not_found`).
    """
    await require_accounts(tx, account_ids, path="account_ids", user_id=user_id)
    group_id = await store.insert(tx, new, user_id=user_id)
    if group_id is None:
        raise await name_taken(tx, new.name, user_id=user_id)
    await store.add_members(tx, group_id, account_ids, user_id=user_id)
    return group_id


async def name_taken(connection: Connection, name: str, *, user_id: UUID) -> ProblemError:
    """The problem of a name that another group has."""
    existing_id = await store.find_by_name(connection, name, user_id=user_id)
    return ProblemError("name_taken", f"There is a group {name!r} already.", existing_id=existing_id)
