"""The only way from held back to scheduled: every gate is asked again."""

from __future__ import annotations

from uuid import UUID

from shared.accounts import PUBLISHABLE
from shared.database import Connection
from shared.publications.states import Owner, PublicationState
from shared.publications.transition import Change, transition

_HELD = """
    SELECT publications.id
    FROM publications
    JOIN accounts ON accounts.id = publications.account_id
    WHERE publications.user_id = $1 AND publications.account_id = $2
      AND publications.state = 'held' AND accounts.state = ANY($3::text[])
    ORDER BY publications.publish_at
    FOR UPDATE OF publications
"""


async def release_held(tx: Connection, *, user_id: UUID, account_id: UUID, rescue_after_s: float) -> int:
    """Put an account's held publications back on their way if nothing holds them any more.

    Returns:
        How many were released.
    """
    publishable = [state.value for state in sorted(PUBLISHABLE)]
    rows = await tx.fetch(_HELD, user_id, account_id, publishable)
    change = Change(
        to=PublicationState.SCHEDULED,
        owner=Owner.RELEASE,
        reason="released",
        through_outbox=True,
        rescue_after_s=rescue_after_s,
    )
    released = [await transition(tx, row["id"], change, user_id=user_id) for row in rows]
    return sum(publication is not None for publication in released)
