"""Removing a proxy that nobody uses."""

from __future__ import annotations

from uuid import UUID

from services.api.http import Fault, ProblemError
from services.api.proxies import store
from shared.database import Connection

_EXAMPLES = 10


async def remove_proxy(tx: Connection, proxy_id: UUID, *, user_id: UUID) -> None:
    """Remove a locked proxy.

    Raises:
        ProblemError: `in_use`: accounts leave through it. To let them go past it would break what it was given for.
    """
    count = await store.count_users(tx, proxy_id, user_id=user_id)
    if count:
        users = await store.find_users(tx, proxy_id, user_id=user_id, limit=_EXAMPLES)
        faults = [
            Fault(code="in_use", message=f"The account {user['username']!r} leaves through it.", existing_id=user["id"])
            for user in users
        ]
        detail = f"{count:,} account(s) leave through this proxy. Give these accounts another proxy first, or none."
        raise ProblemError("in_use", detail, errors=faults)
    await store.delete(tx, proxy_id, user_id=user_id)
