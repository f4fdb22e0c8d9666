"""Stopping what waits: all publications of an account, of posts or of a distribution, exactly, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.database import Connection, Row
from shared.jobs import JobType
from shared.outbox import withdraw
from shared.publications.change import Change
from shared.publications.halt import REASON_OF, TARGET_OF, Halt
from shared.publications.states import Owner, PublicationState, Step, sources_of
from shared.publications.transition import transition_all

# What is held is locked too, whatever is wished: a release that is not committed yet is waited for and then seen. What
# lives is told by what it is not: the planner shall go by account, post or distribution, never by the state.
_LOCK = """
    SELECT id, state, step
    FROM publications
    WHERE user_id = $1 AND {scope}
      AND state NOT IN ('published', 'failed', 'canceled', 'missed', 'outcome_unknown')
    ORDER BY id
    FOR NO KEY UPDATE
"""
_LOCK_OF_ACCOUNT = _LOCK.format(scope="account_id = $2")
_LOCK_OF_POSTS = _LOCK.format(scope="post_id = ANY($2::uuid[])")
_LOCK_OF_DISTRIBUTION = _LOCK.format(scope="distribution_id = $2")
# What is to be canceled stays so.
_WISH = """
    UPDATE publications
    SET halt = CASE WHEN halt = 'cancel' THEN halt ELSE $3 END, updated_at = now()
    WHERE user_id = $1 AND id = ANY($2::uuid[])
"""


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What became of publications that were to be stopped."""

    stopped: int  # they waited, and are canceled or held now
    in_flight: list[UUID]  # a worker has them, and obeys before its publish call: they will not be published
    sent: list[UUID]  # the publish call was sent already; one that had no effect is not made again


async def stop_publications(
    tx: Connection,
    wish: Halt,
    *,
    user_id: UUID,
    account_id: UUID | None = None,
    post_ids: Sequence[UUID] | None = None,
    distribution_id: UUID | None = None,
) -> Stopped:
    """Hold or cancel whatever of one account, of posts or of one distribution is not live yet.

    Once the transaction is committed, the platform is asked to publish none of them, except those in `sent`. What is
    made after it is not stopped: close the gate in the same transaction, before this.

    Args:
        tx: the caller's transaction. It may wait for rows that others write, as long as a statement may take.
        wish: cancel, or hold for a distribution that is paused.
        user_id: the tenant.
        account_id: all of this account; or
        post_ids: all of these posts; or
        distribution_id: all of this distribution. One of the three.
    """
    rows = await _lock(tx, user_id, account_id, post_ids, distribution_id)
    sent = [row["id"] for row in rows if row["step"] == Step.PUBLISH_SENT]
    unsent = [row for row in rows if row["step"] != Step.PUBLISH_SENT]
    in_flight = [row["id"] for row in unsent if row["state"] == PublicationState.PUBLISHING]
    await tx.execute(_WISH, user_id, [*sent, *in_flight], wish)
    change = Change(to=TARGET_OF[wish], owner=Owner.API, reason=REASON_OF[wish])
    sources = sources_of(change.to, change.owner)
    waiting = [row["id"] for row in unsent if row["state"] in sources]
    stopped = await transition_all(tx, waiting, change, user_id=user_id)
    await withdraw(tx, type_=JobType.POST_PUBLISH, subjects=[str(publication.id) for publication in stopped])
    return Stopped(stopped=len(stopped), in_flight=in_flight, sent=sent)


async def _lock(
    tx: Connection,
    user_id: UUID,
    account_id: UUID | None,
    post_ids: Sequence[UUID] | None,
    distribution_id: UUID | None,
) -> list[Row]:
    if account_id is not None:
        return await tx.fetch(_LOCK_OF_ACCOUNT, user_id, account_id)
    if post_ids is not None:
        return await tx.fetch(_LOCK_OF_POSTS, user_id, post_ids)
    return await tx.fetch(_LOCK_OF_DISTRIBUTION, user_id, distribution_id)
