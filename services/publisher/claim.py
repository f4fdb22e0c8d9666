"""First step: take the publication, or settle why it was not granted."""

from __future__ import annotations

import random

from services.publisher.workbench import Workbench
from shared.database import Connection
from shared.jobs import PublishPublication
from shared.outbox import replace
from shared.publications import (
    Change,
    Owner,
    Publication,
    PublicationState,
    Refusal,
    Refused,
    Unfit,
    claim,
    postpone,
    publish_message,
    transition,
)

# An account is busy for seconds. With many that wait for it each comes back ever more rarely, and not all together.
_BUSY_FIRST_S = 2.0
_BUSY_GROWTH = 1.5
_BUSY_MOST_S = 60.0
_BUSY_JITTER_MOST = 1.5

_STILL_WAITS = """
    SELECT priority, now() + $3::float8 * interval '1 second' AS due_at
    FROM publications
    WHERE id = $1 AND revision = $2 AND state IN ('scheduled', 'publishing')
    FOR NO KEY UPDATE
"""


async def take(work: Workbench, payload: PublishPublication) -> Publication | Refused:
    """Claim the publication, in a transaction committed before anything is asked of the platform.

    Where the account cannot publish, the publication is held in the same transaction, under the account's lock: a
    release that comes after it finds it. Where the account's caps are reached, it is put off to the next free slot.
    """
    async with work.pool.acquire() as connection, connection.transaction():
        taken = await claim(
            connection,
            payload.publication_id,
            revision=payload.revision,
            worker=work.worker,
            lease_s=work.lease_s,
        )
        if isinstance(taken, Refused) and taken.unfit is not None:
            await _hold(connection, payload, taken.unfit)
        if isinstance(taken, Refused) and taken.slot is not None:
            await postpone(
                connection,
                payload.publication_id,
                taken.slot,
                revision=payload.revision,
                rescue_after_s=work.rescue_after_s,
            )
        return taken


async def _hold(tx: Connection, payload: PublishPublication, unfit: Unfit) -> None:
    change = Change(
        to=PublicationState.HELD,
        owner=Owner.PUBLISHER,
        reason=unfit.reason,
        give_back=int(unfit.claimed),
    )
    await transition(tx, payload.publication_id, change, user_id=unfit.user_id, epoch=unfit.epoch)


async def settle_refusal(work: Workbench, payload: PublishPublication, refused: Refused) -> None:
    """What follows from a claim that was not granted: where the message must come back, the outbox brings it.

    There it is one row per publication, however many messages were refused; on the broker's ladder each would come back
    by itself, for ever doubling nothing and hiding the rest.
    """
    match refused.why:
        case Refusal.ACCOUNT_BUSY:
            await _come_back(work, payload, in_s=_busy_delay_s(payload.busy), busy=payload.busy + 1)
        case Refusal.NOT_DUE:
            await _come_back(work, payload, in_s=refused.due_in_s)
        case _:
            pass


def _busy_delay_s(busy: int) -> float:
    delay_s = min(_BUSY_FIRST_S * _BUSY_GROWTH ** min(busy, 20), _BUSY_MOST_S)
    return delay_s * random.uniform(1.0, _BUSY_JITTER_MOST)  # noqa: S311 - jitter, no secret


async def _come_back(work: Workbench, payload: PublishPublication, *, in_s: float, busy: int = 0) -> None:
    async with work.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_STILL_WAITS, payload.publication_id, payload.revision, in_s)
        if row is None:
            return  # ended, or a newer message speaks for it
        message = publish_message(
            payload.publication_id,
            revision=payload.revision,
            priority=row["priority"],
            due_at=row["due_at"],
            busy=busy,
        )
        await replace(connection, [message])
