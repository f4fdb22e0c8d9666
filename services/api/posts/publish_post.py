"""Publishing a post on accounts, now or at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.api.accounts.require_accounts import require_accounts
from services.api.http import Caller
from services.api.publications.choose_targets import (
    check_lateness,
    find_accounts,
    find_members,
    lock_post,
    require_no_duplicates,
    require_not_past,
    require_publishable,
)
from shared.database import Connection
from shared.publications import Draft, Target, create_publications


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Where and when a post shall be live."""

    account_ids: Sequence[UUID] | None  # either these,
    group_id: UUID | None  # or this group's
    publish_at: datetime | None  # aware; None means now
    max_lateness_s: int | None  # None means never too late
    allow_duplicate: bool


@dataclass(frozen=True, kw_only=True)
class Made:
    """The publications of one wish."""

    ids: list[UUID]
    publish_at: datetime


async def publish_post(tx: Connection, post_id: UUID, wish: Wish, *, caller: Caller, rescue_after_s: float) -> Made:
    """Make a publication for each account.

    Raises:
        ProblemError: the wish cannot be met; nothing was written.
    """
    user_id = caller.user_id
    check_lateness(wish.max_lateness_s)
    now = await lock_post(tx, post_id, user_id=user_id)
    publish_at = wish.publish_at or now
    require_not_past(publish_at, now=now, path="publish_at")
    targets = await choose_targets(tx, wish.account_ids, wish.group_id, caller=caller)
    require_publishable(targets)
    if not wish.allow_duplicate:
        await require_no_duplicates(tx, targets, post_id=post_id, user_id=user_id)
    ids = await create_publications(
        tx,
        [Draft(account_id=target.account_id, publish_at=publish_at) for target in targets],
        user_id=user_id,
        post_id=post_id,
        distribution_id=None,
        planned=publish_at > now,
        max_lateness_s=wish.max_lateness_s,
        rescue_after_s=rescue_after_s,
    )
    # One that was being removed meanwhile was waited for, and is gone now.
    await require_accounts(tx, [target.account_id for target in targets], path="account_ids", user_id=user_id)
    return Made(ids=ids, publish_at=publish_at)


async def choose_targets(
    connection: Connection, account_ids: Sequence[UUID] | None, group_id: UUID | None, *, caller: Caller
) -> list[Target]:
    """These accounts, or those of a group.

    Raises:
        ProblemError: one is unknown, or the key may not act on it; the group is unknown or empty.
    """
    if group_id is None:
        caller.require_allowed(account_ids or [], named=True)
        return await find_accounts(connection, account_ids or [], user_id=caller.user_id)
    targets = await find_members(connection, group_id, user_id=caller.user_id)
    caller.require_allowed(target.account_id for target in targets)
    return targets
