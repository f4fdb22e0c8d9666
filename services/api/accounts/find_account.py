"""One account of a tenant, or the problem that there is none."""

from __future__ import annotations

from uuid import UUID

from services.api.accounts import store
from services.api.accounts.contract import Account
from services.api.http import not_found
from shared.database import Connection


async def find_account(connection: Connection, account_id: UUID, *, user_id: UUID) -> Account:
    """One of the user's accounts, as clients see it.

    Raises:
        ProblemError: `not_found`, also for one that was removed.
    """
    row = await store.find(connection, account_id, user_id=user_id)
    if row is None:
        raise not_found("account")
    return store.present(row)
