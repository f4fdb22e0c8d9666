"""The only way from held back to scheduled: every gate is asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.database import Connection
from shared.publications.change import Change
from shared.publications.gates import DISTRIBUTION_PAUSED, find_all_closed, find_closed, find_paused
from shared.publications.states import Owner, PublicationState, Step
from shared.publications.transition import transition_all

_LOCK_ACCOUNT = "SELECT state, proxy_id, removed_at FROM accounts WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE"
# In the order in which all write to the outbox.
_HELD = """
    SELECT id, distribution_id, step
    FROM publications
    WHERE user_id = $1 AND account_id = $2 AND state = 'held'
    ORDER BY id
    FOR UPDATE
"""
# Those that a worker has are waited for: it may be about to hold them.
_OF_DISTRIBUTION = """
    SELECT id, account_id, state
    FROM publications
    WHERE user_id = $1 AND distribution_id = $2
      AND state NOT IN ('published', 'failed', 'canceled', 'missed', 'outcome_unknown')
    ORDER BY id
    FOR NO KEY UPDATE
"""
_FORGET_WISH = """
    UPDATE publications
    SET halt = NULL
    WHERE user_id = $1 AND distribution_id = $2 AND halt = 'hold'
"""
_STILL_HELD = """
    UPDATE publications
    SET reason = closed.reason, updated_at = now()
    FROM unnest($2::uuid[], $3::text[]) AS closed (id, reason)
    WHERE publications.user_id = $1 AND publications.id = closed.id
      AND publications.reason IS DISTINCT FROM closed.reason
"""


@dataclass(frozen=True, kw_only=True)
class Released:
    """What became of the held publications of a distribution."""

    released: int
    held: int  # they wait for something else, and say for what


async def release_held(tx: Connection, *, user_id: UUID, account_id: UUID, rescue_after_s: float) -> int:
    """Put an account's held publications back on their way if nothing holds them any more.

    Call it in the transaction that opens the account's gate, or after the one that brought its proxy up: under the
    account's lock it finds whatever a claim has held by then.

    Returns:
        How many were released.
    """
    account = await tx.fetchrow(_LOCK_ACCOUNT, user_id, account_id)
    if account is None or await find_closed(tx, account, user_id=user_id) is not None:
        return 0
    rows = await tx.fetch(_HELD, user_id, account_id)
    paused = await find_paused(tx, [row["distribution_id"] for row in rows], user_id=user_id)
    # What was sent may be live: that is found out, paused or not.
    closed = {
        row["id"]: DISTRIBUTION_PAUSED
        for row in rows
        if row["distribution_id"] in paused and row["step"] != Step.PUBLISH_SENT
    }
    return await _release(tx, [row["id"] for row in rows], closed, user_id=user_id, rescue_after_s=rescue_after_s)


async def release_distribution(
    tx: Connection, *, user_id: UUID, distribution_id: UUID, rescue_after_s: float
) -> Released:
    """Let a distribution go on: what is held of it is released unless its account holds it; wishes to hold are void.

    Args:
        tx: the transaction in which the distribution is paused no more; it holds the lock on its row.
        user_id: the tenant.
        distribution_id: the distribution.
        rescue_after_s: seconds past due after which one counts as forgotten.
    """
    rows = await tx.fetch(_OF_DISTRIBUTION, user_id, distribution_id)
    await tx.execute(_FORGET_WISH, user_id, distribution_id)
    held = {row["id"]: row["account_id"] for row in rows if row["state"] == PublicationState.HELD}
    reasons = await find_all_closed(tx, list(held.values()), user_id=user_id)
    closed = {row_id: reasons[account_id] for row_id, account_id in held.items() if account_id in reasons}
    released = await _release(tx, list(held), closed, user_id=user_id, rescue_after_s=rescue_after_s)
    return Released(released=released, held=len(closed))


async def _release(
    tx: Connection, held: Sequence[UUID], closed: Mapping[UUID, str], *, user_id: UUID, rescue_after_s: float
) -> int:
    await tx.execute(_STILL_HELD, user_id, list(closed), list(closed.values()))
    change = Change(
        to=PublicationState.SCHEDULED,
        owner=Owner.RELEASE,
        reason="released",
        through_outbox=True,
        rescue_after_s=rescue_after_s,
    )
    free = [row_id for row_id in held if row_id not in closed]
    return len(await transition_all(tx, free, change, user_id=user_id))
