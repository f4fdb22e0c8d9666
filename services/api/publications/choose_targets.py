"""Where a post may go: the checks that publishing, distributing and retrying share.

The post's row is locked first. Whoever makes publications of a post stands in one line with all others who do, and so
what the check for duplicates saw is still true when the rows are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.api.accounts.require_accounts import require_accounts
from services.api.http import Fault, ProblemError, invalid, not_found
from services.api.media.require_media import require_media
from shared.database import Connection
from shared.publications import Target, find_duplicates, find_group_targets, find_targets

#: A time this little past means "now": clocks differ, and forms take a while to fill in.
GRACE = timedelta(minutes=5)
LATENESS_S_MAX = 366 * 86_400
# Shorter, and a publication could be missed on its plain way.
_LATENESS_S_MIN = 10
_LOCK_POST = "SELECT now() AS now FROM posts WHERE user_id = $1 AND id = $2 AND removed_at IS NULL FOR UPDATE"
# Who removes one of them waits, and then sees what was planned. One that is removed already is not found after it.
_HOLD_ACCOUNTS = """
    SELECT id FROM accounts
    WHERE user_id = $1 AND id = ANY($2::uuid[])
    ORDER BY id
    FOR KEY SHARE
"""
_GROUP = "SELECT 1 FROM groups WHERE user_id = $1 AND id = $2"


async def lock_post(tx: Connection, post_id: UUID, *, user_id: UUID) -> datetime:
    """Hold the post's row until the transaction ends; returns the database's time.

    Raises:
        ProblemError: the user has no such post, or media that it shows were removed (`validation_failed`).
    """
    now: datetime | None = await tx.fetchval(_LOCK_POST, user_id, post_id)
    if now is None:
        raise not_found("post")
    await require_media(tx, post_id, user_id=user_id)
    return now


async def hold_accounts(tx: Connection, account_ids: Sequence[UUID], *, user_id: UUID) -> None:
    """Let none of these accounts be removed until the transaction ends, nor what is to be planned anew for them.

    Where the publication is known, before it is locked. A new publication holds its account by itself.
    """
    await tx.execute(_HOLD_ACCOUNTS, user_id, list(account_ids))


async def find_accounts(tx: Connection, account_ids: Sequence[UUID], *, user_id: UUID) -> list[Target]:
    """These accounts of the user.

    Raises:
        ProblemError: one is unknown.
    """
    await require_accounts(tx, account_ids, path="account_ids", user_id=user_id)
    return await find_targets(tx, account_ids, user_id=user_id)


async def find_members(tx: Connection, group_id: UUID, *, user_id: UUID) -> list[Target]:
    """The accounts of a group.

    Raises:
        ProblemError: the group is unknown, or empty.
    """
    if await tx.fetchval(_GROUP, user_id, group_id) is None:
        raise not_found("group")
    targets = await find_group_targets(tx, group_id, user_id=user_id)
    if not targets:
        raise invalid("group_empty", "The group has no accounts; add some first.", path="group_id")
    return targets


def require_publishable(targets: Sequence[Target]) -> None:
    """Go on only if the publisher may act for every account.

    Raises:
        ProblemError: `account_not_publishable`, with each account that is paused, needs its owner, is disconnected, or
            is held for its health.
    """
    faults = find_unfit(targets)
    if faults:
        raise ProblemError("account_not_publishable", f"{len(faults)} account(s) cannot publish now.", errors=faults)


def find_unfit(targets: Sequence[Target]) -> list[Fault]:
    """The accounts for which the publisher may not act, and why."""
    return [_unfit(target, target.unfit_because) for target in targets if target.unfit_because]


def find_barred(targets: Sequence[Target]) -> list[Fault]:
    """The accounts that no new distribution may use, and why: those, and the ones that are at risk."""
    return [_unfit(target, target.barred_because) for target in targets if target.barred_because]


async def require_no_duplicates(tx: Connection, targets: Sequence[Target], *, post_id: UUID, user_id: UUID) -> None:
    """Go on only if the post is neither live nor on its way on any of the accounts. Lock the post first.

    Raises:
        ProblemError: `duplicate_content`, with the publication that is there for each account.
    """
    faults = await find_same(tx, targets, post_id=post_id, user_id=user_id)
    if faults:
        detail = f"The post is live or on its way on {len(faults)} of the accounts; allow_duplicate lets it through."
        raise ProblemError("duplicate_content", detail, errors=faults, existing_id=faults[0].existing_id)


async def find_same(tx: Connection, targets: Sequence[Target], *, post_id: UUID, user_id: UUID) -> list[Fault]:
    """The accounts on which the post is live or on its way, with the publication that is. Lock the post first."""
    account_ids = [target.account_id for target in targets]
    duplicates = await find_duplicates(tx, user_id=user_id, post_id=post_id, account_ids=account_ids)
    return [
        Fault(
            code="duplicate_content",
            message="The post is live or on its way there.",
            account_id=account_id,
            existing_id=existing_id,
        )
        for account_id, existing_id in duplicates.items()
    ]


def check_lateness(max_lateness_s: int | None) -> None:
    """Refuse a lateness that nobody means.

    Raises:
        ProblemError: shorter than publishing takes, or beyond a year.
    """
    if max_lateness_s is not None and not _LATENESS_S_MIN <= max_lateness_s <= LATENESS_S_MAX:
        message = f"max_lateness_s must lie from {_LATENESS_S_MIN} to {LATENESS_S_MAX:,}, or be null for never."
        raise invalid("invalid_value", message, path="max_lateness_s")


def require_not_past(time: datetime, *, now: datetime, path: str) -> None:
    """Refuse a time that is past by more than a moment.

    Raises:
        ProblemError: `time_in_past`.
    """
    if time < now - GRACE:
        raise invalid("time_in_past", f"This time is past; it is {now.isoformat(timespec='seconds')} now.", path=path)


def _unfit(target: Target, because: str) -> Fault:
    return Fault(code="account_not_publishable", message=because, account_id=target.account_id)
