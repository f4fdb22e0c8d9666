"""Trying again, by a person's wish, what failed, was missed or was canceled."""

from __future__ import annotations

from uuid import UUID

from services.api.http import ProblemError
from services.api.publications import archive, store
from services.api.publications.choose_targets import (
    find_accounts,
    hold_accounts,
    lock_post,
    require_no_duplicates,
    require_publishable,
)
from shared.database import Connection
from shared.jobs import JobPriority
from shared.publications import Change, Owner, PublicationState, Step, is_still_paused, transition

_UNRESOLVED = "It is not known whether the post is live; resolve that first, or it may be published twice."


async def retry_publication(
    tx: Connection, publication_id: UUID, *, user_id: UUID, allow_duplicate: bool, rescue_after_s: float
) -> None:
    """Schedule a publication anew: at its own time if that is still to come, else now.

    Raises:
        ProblemError: in a state that needs no retry, or archived meanwhile (`state_conflict`), or in one that must not
            get one (`outcome_unresolved`); its account cannot publish; the post is there already.
    """
    known = await store.find(tx, publication_id, user_id=user_id)
    if known is None:
        raise archive.refuse_change()
    await lock_post(tx, known["post_id"], user_id=user_id)
    distribution_id = known["distribution_id"]
    if distribution_id is not None and await is_still_paused(tx, distribution_id, user_id=user_id):
        raise ProblemError("state_conflict", "The distribution of this publication is paused; resume that first.")
    await hold_accounts(tx, [known["account_id"]], user_id=user_id)
    row = await store.lock(tx, publication_id, user_id=user_id)
    if row is None:
        raise archive.refuse_change()
    _require_retryable(row["state"])
    targets = await find_accounts(tx, [row["account_id"]], user_id=user_id)
    require_publishable(targets)
    if not allow_duplicate:
        await require_no_duplicates(tx, targets, post_id=row["post_id"], user_id=user_id)
    due_in_s = await store.wish_now(tx, publication_id, user_id=user_id, priority=JobPriority.CRITICAL)
    change = Change(
        to=PublicationState.SCHEDULED,
        owner=Owner.API,
        reason="retried_by_user",
        delay_s=due_in_s,
        rescue_after_s=rescue_after_s,
        through_outbox=True,
        new_revision=True,
        # What was sent may be live: the publisher looks at that container before it does anything else.
        drop_container=row["step"] != Step.PUBLISH_SENT,
    )
    await transition(tx, publication_id, change, user_id=user_id)


def _require_retryable(state: str) -> None:
    if state == PublicationState.OUTCOME_UNKNOWN:
        raise ProblemError("outcome_unresolved", _UNRESOLVED)
    if state not in {PublicationState.FAILED, PublicationState.MISSED, PublicationState.CANCELED}:
        raise ProblemError("state_conflict", f"A publication that is {state} cannot be retried.")
