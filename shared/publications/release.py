"""The only way from held back to scheduled: every gate is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from shared.accounts import CAUTION_COLUMN
from shared.database import Connection, Row
from shared.publications.change import Change
from shared.publications.gates import DISTRIBUTION_PAUSED, find_paused, held_because, read_egress, read_gates
from shared.publications.states import Owner, PublicationState, Step
from shared.publications.transition import transition_all

_LOCK_ACCOUNT = f"""
    SELECT state, proxy_id, removed_at, {CAUTION_COLUMN}
    FROM accounts
    WHERE user_id = $1 AND id = $2
    FOR NO KEY UPDATE
"""  # noqa: S608 - built of constants alone
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
    SELECT id, account_id, state, step
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
    """Put an account's held publications back on their way if nothing holds them any more; else say what does.

    Call it in the transaction that opens the account's gate, or after the one that brought its proxy up: under the
    account's lock it finds whatever a claim has held by then.

    Returns:
        How many were released.
    """
    account = await tx.fetchrow(_LOCK_ACCOUNT, user_id, account_id)
    if account is None:
        return 0
    egress = await read_egress(tx, account, user_id=user_id)
    rows = await tx.fetch(_HELD, user_id, account_id)
    paused = await find_paused(tx, [row["distribution_id"] for row in rows], user_id=user_id)

    def find_closed(row: Row) -> str | None:
        was_sent = row["step"] == Step.PUBLISH_SENT
        # What was sent may be live: that is found out, paused or not.
        is_paused = row["distribution_id"] in paused and not was_sent
        return held_because(account, egress, was_sent=was_sent) or (DISTRIBUTION_PAUSED if is_paused else None)

    closed = {row["id"]: find_closed(row) for row in rows}
    return await _release(tx, closed, user_id=user_id, rescue_after_s=rescue_after_s)


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
    held = [row for row in rows if row["state"] == PublicationState.HELD]
    gates = await read_gates(tx, [row["account_id"] for row in held], user_id=user_id)

    def find_closed(row: Row) -> str | None:
        gate = gates[row["account_id"]]
        return held_because(gate, gate["egress"], was_sent=row["step"] == Step.PUBLISH_SENT)

    closed = {row["id"]: find_closed(row) for row in held}
    released = await _release(tx, closed, user_id=user_id, rescue_after_s=rescue_after_s)
    return Released(released=released, held=sum(reason is not None for reason in closed.values()))


async def _release(tx: Connection, closed: Mapping[UUID, str | None], *, user_id: UUID, rescue_after_s: float) -> int:
    """Let those go that nothing holds, and write on each of the others what does."""
    still = {row_id: reason for row_id, reason in closed.items() if reason is not None}
    if still:
        await tx.execute(_STILL_HELD, user_id, list(still), list(still.values()))
    change = Change(
        to=PublicationState.SCHEDULED,
        owner=Owner.RELEASE,
        reason="released",
        through_outbox=True,
        rescue_after_s=rescue_after_s,
    )
    free = [row_id for row_id, reason in closed.items() if reason is None]
    return len(await transition_all(tx, free, change, user_id=user_id))
