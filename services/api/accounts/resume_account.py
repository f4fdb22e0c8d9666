"""Letting an account publish again, after a pause or after its owner has cleared a restriction."""

from __future__ import annotations

from uuid import UUID

from services.api.accounts import store
from services.api.http import ProblemError, not_found
from shared.accounts import PUBLISHABLE, AccountState, Owner, transition_account
from shared.database import Connection, Row
from shared.publications import release_held


async def resume_account(tx: Connection, account_id: UUID, *, user_id: UUID, rescue_after_s: float) -> bool:
    """Bring an account back to where it may publish, and what was held for it on its way.

    Returns:
        False if it could publish already; it is as it was then.

    Raises:
        ProblemError: unknown, or only a token leads back from its state (`account_not_resumable`).
    """
    row = await store.lock(tx, account_id, user_id=user_id)
    if row is None:
        raise not_found("account")
    if row["state"] in PUBLISHABLE:
        return False
    target = _target(row)
    moved = await transition_account(tx, account_id, user_id=user_id, target=target, owner=Owner.API, reason=None)
    await release_held(tx, user_id=user_id, account_id=account_id, rescue_after_s=rescue_after_s)
    return moved


def _target(row: Row) -> AccountState:
    match AccountState(row["state"]):
        case AccountState.PAUSED:
            return AccountState(row["paused_from"])
        case AccountState.RESTRICTED:
            return AccountState.ACTIVE
        case state:
            detail = f"The account is {state}: its token no longer works. Give it a new one; that resumes it."
            raise ProblemError("account_not_resumable", detail)
