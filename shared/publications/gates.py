"""What must be open before a publication may go: its account and its way out. Asked by claims and by releases."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from shared.accounts import PUBLISHABLE, AccountState
from shared.database import Connection

_HELD_BECAUSE: Mapping[AccountState, str] = MappingProxyType(
    {
        AccountState.PAUSED: "account_paused",
        AccountState.NEEDS_REAUTH: "reauth_required",
        AccountState.RESTRICTED: "account_restricted",
        AccountState.DISCONNECTED: "account_disconnected",
    }
)

_EGRESS = "SELECT state FROM proxies WHERE user_id = $1 AND id = $2"


async def find_closed(tx: Connection, *, user_id: UUID, account_state: str, proxy_id: UUID | None) -> str | None:
    """The reason for which an account's publications are held; None if nothing holds them.

    Args:
        tx: a transaction that holds the lock on the account's row. The proxy is read after it: whoever releases takes
            the same lock, and so finds what was held by an older state of the proxy.
        user_id: the tenant.
        account_state: as read with the lock.
        proxy_id: the way out that the account must take, if there is one.
    """
    state = AccountState(account_state)
    if state not in PUBLISHABLE:
        return _HELD_BECAUSE[state]
    if proxy_id is None:
        return None
    return "egress_down" if await tx.fetchval(_EGRESS, user_id, proxy_id) == "down" else None
