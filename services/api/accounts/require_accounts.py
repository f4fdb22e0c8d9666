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
    faults = await account_faults(connection, account_ids, path=path, user_id=user_id)
    if faults:
        raise ProblemError("not_found", f"{len(faults)} account(s) do not exist.", errors=faults)


async def account_faults(
    connection: Connection, account_ids: Sequence[UUID], *, path: str, user_id: UUID
) -> list[Fault]:
    """One fault for each of these that is no account of the user; `path` is where the request names them."""
    missing = await store.missing(connection, account_ids, user_id=user_id)
    return [
        Fault(path=path, code="not_found", message="There is no such account.", account_id=account_id)
        for account_id in missing
    ]
