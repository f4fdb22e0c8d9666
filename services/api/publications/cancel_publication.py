"""Canceling a publication that has not begun."""

from __future__ import annotations

from uuid import UUID

from services.api.http import ProblemError
from services.api.publications import archive, store
from shared.database import Connection
from shared.jobs import JobType
from shared.outbox import withdraw
from shared.publications import Change, Owner, PublicationState, Step, transition


async def cancel_publication(tx: Connection, publication_id: UUID, *, user_id: UUID) -> None:
    """Cancel a publication, and take its message back where it still waits.

    Raises:
        ProblemError: not in a state to cancel, or archived meanwhile (`state_conflict`), or possibly live
            (`outcome_unresolved`).
    """
    row = await store.lock(tx, publication_id, user_id=user_id)
    if row is None:
        raise archive.refuse_change()
    change = Change(to=PublicationState.CANCELED, owner=Owner.API, reason="canceled_by_user")
    if row["step"] == Step.PUBLISH_SENT and row["state"] in {PublicationState.SCHEDULED, PublicationState.HELD}:
        detail = "The publish call was sent already; whether the post is live is being found out."
        raise ProblemError("outcome_unresolved", detail)
    if await transition(tx, publication_id, change, user_id=user_id) is None:
        raise ProblemError("state_conflict", f"A publication that is {row['state']} cannot be canceled.")
    await withdraw(tx, type_=JobType.POST_PUBLISH, subjects=[str(publication_id)])
