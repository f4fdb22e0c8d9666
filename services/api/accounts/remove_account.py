"""Removing an account: what was published stays on record, everything else of it ends.

Call `lock_dependents` before the account is locked, as all do who lock schedules and accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.api.accounts import store
from services.api.http import Fault, ProblemError
from services.api.posts.stop_posts import require_unused
from services.api.publications.contract import Removed
from services.api.schedules.dependents import Lost, break_schedules, lock_dependents, schedule_faults
from shared.accounts import AccountState, Owner, transition_account
from shared.database import Connection
from shared.outbox import Event, record_events
from shared.publications import Halt, stop_publications

_EXAMPLES = 5


async def remove_account(tx: Connection, account_id: UUID, *, user_id: UUID, cancel: bool) -> Removed:
    """Remove an account that `store.lock_whole` has locked, with its token, its memberships and its checks.

    Once the transaction is committed nothing more is published on it, except what is told as sent.

    Args:
        tx: the caller's transaction.
        account_id: the account.
        user_id: the tenant.
        cancel: whether what waits for it is canceled, and its schedules paused; else it must have neither.

    Raises:
        ProblemError: publications wait for it, or schedules use it (`in_use`), with how many and examples.
    """
    schedules = await lock_dependents(tx, account_id, user_id=user_id)
    if not cancel:
        await _require_unused(tx, account_id, schedules=schedules, user_id=user_id)
    paused = await break_schedules(tx, schedules, Lost.ACCOUNT, user_id=user_id)
    # The gate is closed before anything is stopped: what is planned after that is held.
    await transition_account(
        tx, account_id, user_id=user_id, target=AccountState.DISCONNECTED, owner=Owner.API, reason="removed"
    )
    stopped = await stop_publications(tx, Halt.CANCEL, user_id=user_id, account_id=account_id)
    await store.remove(tx, account_id, user_id=user_id)
    payload = {"account_id": str(account_id), "removed": True}
    await record_events(tx, [Event(user_id=user_id, type="account.changed", subject=account_id, payload=payload)])
    return Removed(canceled=stopped.stopped, in_flight=stopped.in_flight, sent=stopped.sent, paused_schedules=paused)


async def _require_unused(tx: Connection, account_id: UUID, *, schedules: Sequence[UUID], user_id: UUID) -> None:
    rows = await store.dependents(tx, account_id, user_id=user_id)
    publications = [
        Fault(
            code="in_use",
            message=f"{row['number']:,} publication(s) of this account are {row['state']}; this is one of them.",
            account_id=account_id,
            existing_id=row["example"],
        )
        for row in rows
    ]
    running = sorted({one for row in rows for one in row["distribution_ids"] if one is not None})
    distributions = [
        Fault(
            code="in_use",
            message=f"{len(running):,} distribution(s) still publish on this account; this is one of them.",
            account_id=account_id,
            existing_id=distribution_id,
        )
        for distribution_id in running[:_EXAMPLES]
    ]
    if publications:
        number = sum(row["number"] for row in rows)
        detail = f"{number:,} publication(s) wait for this account. With cancel=true they are canceled with it."
        raise ProblemError("in_use", detail, errors=[*publications, *distributions, *schedule_faults(schedules)])
    require_unused(schedule_faults(schedules))
