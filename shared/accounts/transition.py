"""The one function that changes an account's state."""

from __future__ import annotations

from uuid import UUID

from shared.accounts.states import ARROWS, AccountState, Owner
from shared.database import Connection
from shared.outbox import Event, record_events

_UPDATE = """
    UPDATE accounts
    SET state = $3, state_reason = $4, updated_at = now()
    WHERE user_id = $1 AND id = $2 AND state = ANY($5::text[])
    RETURNING id
"""


async def transition_account(
    tx: Connection, account_id: UUID, *, user_id: UUID, target: AccountState, owner: Owner, reason: str | None
) -> bool:
    """Move an account along an arrow; row and event together.

    Args:
        tx: the caller's transaction.
        account_id: the account.
        user_id: its tenant.
        target: where to.
        owner: which service asks.
        reason: why, for people; None where the state says it all.

    Returns:
        False if no arrow of this owner leads there from the account's state; nothing was written then.
    """
    arrows = [arrow for arrow in ARROWS if arrow.target is target and arrow.owner is owner]
    if not arrows:
        raise ValueError(f"no arrow of {owner} leads to {target}")
    sources = [arrow.source.value for arrow in arrows]
    moved = await tx.fetchval(_UPDATE, user_id, account_id, target.value, reason, sources)
    if moved is None:
        return False
    payload = {"state": target.value, "reason": reason}
    await record_events(tx, [Event(user_id=user_id, type=arrows[0].event, subject=account_id, payload=payload)])
    return True
