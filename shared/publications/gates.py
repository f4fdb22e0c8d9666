"""What must be open before a publication may go: its account, its health, its way out, its distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from shared.accounts import CAUTION_COLUMN, PUBLISHABLE, AccountState, Caution
from shared.database import Connection, Row
from shared.publications.halt import REASON_OF, Halt

_HELD_BECAUSE: Mapping[AccountState, str] = MappingProxyType(
    {
        AccountState.PAUSED: "account_paused",
        AccountState.NEEDS_REAUTH: "reauth_required",
        AccountState.RESTRICTED: "account_restricted",
        AccountState.DISCONNECTED: "account_disconnected",
    }
)
#: The reason of what is held for the account's health.
HEALTH_CRITICAL = "health_critical"
#: The reason of what a paused distribution holds.
DISTRIBUTION_PAUSED = REASON_OF[Halt.HOLD]

_EGRESS = "SELECT state FROM proxies WHERE user_id = $1 AND id = $2"
_GATES = f"""
    SELECT accounts.id, accounts.state, accounts.removed_at, {CAUTION_COLUMN}, proxies.state AS egress
    FROM accounts
    LEFT JOIN proxies ON proxies.user_id = accounts.user_id AND proxies.id = accounts.proxy_id
    WHERE accounts.user_id = $1 AND accounts.id = ANY($2::uuid[])
"""  # noqa: S608 - built of constants alone
_PAUSED = """
    SELECT id
    FROM distributions
    WHERE user_id = $1 AND id = ANY($2::uuid[]) AND paused_at IS NOT NULL
"""
# It can neither be paused nor go on until whoever asks has written what follows from it.
_STILL_PAUSED = "SELECT paused_at IS NOT NULL FROM distributions WHERE user_id = $1 AND id = $2 FOR SHARE"


async def read_egress(tx: Connection, account: Row, *, user_id: UUID) -> str | None:
    """The state of an account's proxy; None without one.

    Args:
        tx: a transaction that holds the lock on the account's row. The proxy is read after it: whoever releases takes
            the same lock, and so finds what was held by an older state of the proxy.
        account: `proxy_id`, as read with the lock.
        user_id: the tenant.
    """
    state: str | None = None
    if account["proxy_id"] is not None:
        state = await tx.fetchval(_EGRESS, user_id, account["proxy_id"])
    return state


async def read_gates(tx: Connection, account_ids: Sequence[UUID], *, user_id: UUID) -> dict[UUID, Row]:
    """What `held_because` needs of each of these accounts, its proxy's state as `egress` included.

    Whoever opens a gate of one of them releases its publications after it has waited for those that `tx` has locked.
    """
    return {row["id"]: row for row in await tx.fetch(_GATES, user_id, account_ids)}


async def find_paused(tx: Connection, distribution_ids: Sequence[UUID], *, user_id: UUID) -> set[UUID]:
    """The distributions among these that are paused."""
    return {row["id"] for row in await tx.fetch(_PAUSED, user_id, distribution_ids)}


async def is_still_paused(tx: Connection, distribution_id: UUID, *, user_id: UUID) -> bool:
    """Whether a distribution is paused, and stays so until the transaction ends. Ask before locking publications."""
    paused: bool = await tx.fetchval(_STILL_PAUSED, user_id, distribution_id)
    return paused


def held_because(account: Row, egress: str | None, *, was_sent: bool = False) -> str | None:
    """The reason for which an account's publications are held; None if nothing holds them.

    Args:
        account: `state`, `removed_at` and `caution`, the one in force.
        egress: its proxy's state.
        was_sent: of a publication whose publish call was made: it may be live, and that is found out however bad the
            account's health is.
    """
    if account["removed_at"] is not None:
        return "account_removed"
    state = AccountState(account["state"])
    if state not in PUBLISHABLE:
        return _HELD_BECAUSE[state]
    if account["caution"] == Caution.HELD and not was_sent:
        return HEALTH_CRITICAL
    return "egress_down" if egress == "down" else None
