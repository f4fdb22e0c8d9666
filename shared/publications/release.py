"""The only way from held back to scheduled: every gate is asked again."""

from __future__ import annotations

from uuid import UUID

from shared.database import Connection
from shared.publications.gates import find_closed
from shared.publications.states import Owner, PublicationState
from shared.publications.transition import Change, transition

_LOCK_ACCOUNT = "SELECT state, proxy_id FROM accounts WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE"
# In the order in which all write to the outbox.
_HELD = """
    SELECT id
    FROM publications
    WHERE user_id = $1 AND account_id = $2 AND state = 'held'
    ORDER BY id
    FOR UPDATE
"""


async def release_held(tx: Connection, *, user_id: UUID, account_id: UUID, rescue_after_s: float) -> int:
    """Put an account's held publications back on their way if nothing holds them any more.

    Call it in the transaction that opens the account's gate, or after the one that brought its proxy up: under the
    account's lock it finds whatever a claim has held by then.

    Returns:
        How many were released.
    """
    account = await tx.fetchrow(_LOCK_ACCOUNT, user_id, account_id)
    if account is None:
        return 0
    closed = await find_closed(tx, user_id=user_id, account_state=account["state"], proxy_id=account["proxy_id"])
    if closed is not None:
        return 0
    change = Change(
        to=PublicationState.SCHEDULED,
        owner=Owner.RELEASE,
        reason="released",
        through_outbox=True,
        rescue_after_s=rescue_after_s,
    )
    rows = await tx.fetch(_HELD, user_id, account_id)
    released = [await transition(tx, row["id"], change, user_id=user_id) for row in rows]
    return sum(publication is not None for publication in released)
