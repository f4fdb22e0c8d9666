"""Pausing, resuming and canceling a distribution, exactly: what comes after the answer obeys it.

The distribution's row is locked before its publications, and changed before they are looked at: whoever makes one of
them wait or go meanwhile has either been seen, or sees what the distribution says now.
"""

from __future__ import annotations

from uuid import UUID

from services.api.distributions import store
from services.api.http import ProblemError, not_found
from shared.database import Connection, Row
from shared.outbox import Event, record_events
from shared.publications import Halt, Released, Stopped, release_distribution, stop_publications


async def pause_distribution(tx: Connection, distribution_id: UUID, *, user_id: UUID) -> Stopped:
    """Hold whatever of it is not live yet, until it is resumed. Once more does no harm.

    Raises:
        ProblemError: unknown, or canceled (`state_conflict`).
    """
    await require_going(tx, distribution_id, user_id=user_id)
    await store.pause(tx, distribution_id, user_id=user_id)
    stopped = await stop_publications(tx, Halt.HOLD, user_id=user_id, distribution_id=distribution_id)
    await _tell(tx, "distribution.paused", distribution_id, user_id=user_id, stopped=stopped)
    return stopped


async def resume_distribution(
    tx: Connection, distribution_id: UUID, *, user_id: UUID, rescue_after_s: float
) -> Released:
    """Let it go on; what became too late meanwhile will be missed, by the usual rule.

    Raises:
        ProblemError: unknown, canceled or not paused (`state_conflict`).
    """
    row = await require_going(tx, distribution_id, user_id=user_id)
    if row["paused_at"] is None:
        raise ProblemError("state_conflict", "The distribution is not paused.")
    await store.resume(tx, distribution_id, user_id=user_id)
    released = await release_distribution(
        tx, user_id=user_id, distribution_id=distribution_id, rescue_after_s=rescue_after_s
    )
    payload = {"released": released.released, "held": released.held}
    await record_events(
        tx, [Event(user_id=user_id, type="distribution.resumed", subject=distribution_id, payload=payload)]
    )
    return released


async def cancel_distribution(tx: Connection, distribution_id: UUID, *, user_id: UUID) -> Stopped:
    """Cancel whatever of it is not live yet. Once more does no harm.

    Raises:
        ProblemError: unknown.
    """
    if await store.lock(tx, distribution_id, user_id=user_id) is None:
        raise not_found("distribution")
    await store.cancel(tx, distribution_id, user_id=user_id)
    stopped = await stop_publications(tx, Halt.CANCEL, user_id=user_id, distribution_id=distribution_id)
    await _tell(tx, "distribution.canceled", distribution_id, user_id=user_id, stopped=stopped)
    return stopped


async def require_going(tx: Connection, distribution_id: UUID, *, user_id: UUID) -> Row:
    """Lock a distribution that is not canceled.

    Raises:
        ProblemError: unknown, or canceled (`state_conflict`).
    """
    row = await store.lock(tx, distribution_id, user_id=user_id)
    if row is None:
        raise not_found("distribution")
    if row["canceled_at"] is not None:
        raise ProblemError("state_conflict", "The distribution is canceled. Make another one.")
    return row


async def _tell(tx: Connection, type_: str, distribution_id: UUID, *, user_id: UUID, stopped: Stopped) -> None:
    payload = {"stopped": stopped.stopped, "in_flight": len(stopped.in_flight), "sent": len(stopped.sent)}
    await record_events(tx, [Event(user_id=user_id, type=type_, subject=distribution_id, payload=payload)])
