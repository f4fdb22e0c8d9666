"""Refusing ids of accounts that a tenant does not have."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.api.accounts import store
from services.api.http import Fault, ProblemError
from shared.database import Connection


async def require_accounts(connection: Connection, account_ids: Sequence[UUID], *, path: str, user_id: UUID) -> None:
    """Go on only if all of these are accounts of the user.

    Raises:
        ProblemError: `not_found`, naming those that are not; `path` is where the request names them.
    """
    missing = await store.missing(connection, account_ids, user_id=user_id)
    if missing:
        faults = [
            Fault(path=path, code="not_found", message="There is no such account.", account_id=account_id)
            for account_id in missing
        ]
        raise ProblemError("not_found", f"{len(missing)} account(s) do not exist.", errors=faults)
