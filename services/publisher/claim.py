"""First step: take the publication, or settle why it was not granted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.publisher.workbench import Workbench
from shared.accounts import AccountState
from shared.jobs import Again, PublishPublication, covering_step_ms
from shared.outbox import replace
from shared.publications import (
    Change,
    Owner,
    Publication,
    PublicationState,
    Refusal,
    Refused,
    claim,
    publish_message,
    transition,
)

# An account is busy for seconds; this is the ladder's first step.
_BUSY_DELAY_MS = 2_000
_HELD_BECAUSE = {
    AccountState.PAUSED: "account_paused",
    AccountState.NEEDS_REAUTH: "reauth_required",
    AccountState.RESTRICTED: "account_restricted",
    AccountState.DISCONNECTED: "account_disconnected",
}


async def take(work: Workbench, payload: PublishPublication) -> Publication | Refused:
    """Claim the publication in a transaction of its own, committed before anything is asked of the platform."""
    async with work.pool.acquire() as connection, connection.transaction():
        return await claim(
            connection,
            payload.publication_id,
            revision=payload.revision,
            worker=work.worker,
            lease_s=work.lease_s,
        )


async def settle_refusal(work: Workbench, payload: PublishPublication, refused: Refused) -> Again | None:
    """What follows from a claim that was not granted.

    Returns:
        None where the message has nothing more to say; `Again` where it must come back.
    """
    match refused.why:
        case Refusal.ACCOUNT_BUSY:
            return Again(delay_ms=_BUSY_DELAY_MS)
        case Refusal.NOT_DUE:
            return await _come_back_when_due(work, payload, refused.due_in_s)
        case Refusal.ACCOUNT_UNFIT:
            await _hold(work, payload, refused.account_state)
            return None
        case _:
            return None


async def _come_back_when_due(work: Workbench, payload: PublishPublication, due_in_s: float) -> Again | None:
    step_ms = covering_step_ms(round(due_in_s * 1000) + 1)
    if step_ms is not None:
        return Again(delay_ms=step_ms)
    async with work.pool.acquire() as connection, connection.transaction():
        priority = await connection.fetchval("SELECT priority FROM publications WHERE id = $1", payload.publication_id)
        due_at = datetime.now(UTC) + timedelta(seconds=due_in_s)
        message = publish_message(payload.publication_id, revision=payload.revision, priority=priority, due_at=due_at)
        await replace(connection, [message])
    return None


async def _hold(work: Workbench, payload: PublishPublication, account_state: AccountState | None) -> None:
    reason = _HELD_BECAUSE.get(account_state, "account_unfit") if account_state else "account_unfit"
    async with work.pool.acquire() as connection, connection.transaction():
        user_id = await connection.fetchval("SELECT user_id FROM publications WHERE id = $1", payload.publication_id)
        change = Change(to=PublicationState.HELD, owner=Owner.PUBLISHER, reason=reason)
        await transition(connection, payload.publication_id, change, user_id=user_id)
