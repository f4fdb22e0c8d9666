"""Pausing an account: what is planned for it stays, and is held when it comes due."""

from __future__ import annotations

from uuid import UUID

from services.api.accounts import store
from services.api.http import ProblemError, not_found
from shared.accounts import PUBLISHABLE, AccountState, Owner, transition_account
from shared.database import Connection


async def pause_account(tx: Connection, account_id: UUID, *, user_id: UUID) -> bool:
    """Pause an account; the row keeps the state it comes back to.

    Returns:
        False if it was paused already; nothing was written then.

    Raises:
        ProblemError: unknown, or nothing is published on it anyway (`state_conflict`).
    """
    row = await store.lock(tx, account_id, user_id=user_id)
    if row is None:
        raise not_found("account")
    if row["state"] not in {*PUBLISHABLE, AccountState.PAUSED}:
        detail = f"An account that is {row['state']} publishes nothing; there is nothing to pause."
        raise ProblemError("state_conflict", detail)
    return await transition_account(
        tx, account_id, user_id=user_id, target=AccountState.PAUSED, owner=Owner.API, reason=None
    )
