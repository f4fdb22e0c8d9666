"""The one way to change the state of an account, or of many."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.accounts.plan_checks import plan_checks
from shared.accounts.states import ARROWS, AccountState, Owner
from shared.database import Connection
from shared.outbox import Event, record_events

_LOCK = """
    SELECT id, state FROM accounts
    WHERE user_id = $1 AND id = ANY($2::uuid[]) AND state = ANY($3::text[])
      AND (state <> 'PAUSED' OR paused_from = $4 OR $4 = 'DISCONNECTED')
    ORDER BY id
    FOR NO KEY UPDATE
"""
# What the platform says of an account that came here is of interest at once.
_ASKED_FOR = frozenset({AccountState.ACTIVE, AccountState.NEEDS_REAUTH, AccountState.RESTRICTED})
_UPDATE = """
    UPDATE accounts
    SET state = $3, state_reason = $4, paused_from = CASE WHEN $3 = 'PAUSED' THEN state END,
        flagged_at = CASE WHEN $3 IN ('NEEDS_REAUTH', 'RESTRICTED') THEN now() ELSE flagged_at END,
        updated_at = now()
    WHERE user_id = $1 AND id = ANY($2::uuid[])
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
        False if no arrow of this owner leads there from the account's state, or the account was paused in another
        state than the target; nothing was written then.

    Raises:
        ValueError: no arrow of this owner leads there at all. A bug in the caller.
    """
    moved = await transition_accounts(tx, [account_id], user_id=user_id, target=target, owner=owner, reason=reason)
    return bool(moved)


async def transition_accounts(
    tx: Connection,
    account_ids: Sequence[UUID],
    *,
    user_id: UUID,
    target: AccountState,
    owner: Owner,
    reason: str | None,
) -> list[UUID]:
    """As `transition_account`, for many of a tenant at once.

    Returns:
        Those that were moved.

    Raises:
        ValueError: no arrow of this owner leads there at all. A bug in the caller.
    """
    events = {arrow.source.value: arrow.event for arrow in ARROWS if arrow.target is target and arrow.owner is owner}
    if not events:
        raise ValueError(f"no arrow of {owner} leads to {target}")
    rows = await tx.fetch(_LOCK, user_id, list(account_ids), list(events), target.value) if account_ids else []
    if not rows:
        return []
    moved = [row["id"] for row in rows]
    await tx.execute(_UPDATE, user_id, moved, target.value, reason)
    if target in _ASKED_FOR and owner is not Owner.HEALTH:
        await plan_checks(tx, moved, user_id=user_id)
    payload = {"state": target.value, "reason": reason}
    await record_events(
        tx, [Event(user_id=user_id, type=events[row["state"]], subject=row["id"], payload=payload) for row in rows]
    )
    return moved
