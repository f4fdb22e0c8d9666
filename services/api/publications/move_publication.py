"""Changing when a publication that waits is due, and how late it may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from services.api.http import Answer, ProblemError, answer, aware
from services.api.publications import archive, store
from services.api.publications.choose_targets import check_lateness, lock_post, require_not_past
from services.api.publications.contract import Publication, PublicationChange
from shared.database import Connection
from shared.publications import PublicationState, Step, plan_media_check, reschedule

_WAITING = frozenset({PublicationState.SCHEDULED, PublicationState.HELD})


async def move_publication(
    tx: Connection,
    known: Publication,
    change: PublicationChange,
    *,
    user_id: UUID,
    require_match: Callable[[Answer[Any]], None],
    rescue_after_s: float,
) -> None:
    """Let a publication begin anew at another time, as a new revision. A change that changes nothing makes none.

    Args:
        tx: the caller's transaction.
        known: the publication as it was read.
        change: what the client wants.
        user_id: the tenant.
        require_match: told the publication as it stands under its lock.
        rescue_after_s: seconds past due after which it counts as forgotten.

    Raises:
        ProblemError: it does not wait, or was archived meanwhile (`state_conflict`), may be live
            (`outcome_unresolved`), was changed since it was read, or the time is none.
    """
    now = await lock_post(tx, known.post_id, user_id=user_id)
    current = await _lock(tx, known.id, user_id=user_id)
    require_match(answer(current))
    wished = msgspec.structs.asdict(change)
    publish_at, max_lateness_s = (
        getattr(current, name) if wished[name] is msgspec.UNSET else wished[name]
        for name in ("publish_at", "max_lateness_s")
    )
    if change.publish_at is not msgspec.UNSET:
        publish_at = aware(change.publish_at, path="publish_at")
        require_not_past(publish_at, now=now, path="publish_at")
    check_lateness(max_lateness_s)
    if (publish_at, max_lateness_s) == (current.publish_at, current.max_lateness_s):
        return
    await reschedule(
        tx,
        known.id,
        publish_at,
        max_lateness_s=max_lateness_s,
        user_id=user_id,
        rescue_after_s=rescue_after_s,
    )
    if publish_at > now:
        await plan_media_check(tx, [publish_at], user_id=user_id, post_id=known.post_id)


async def _lock(tx: Connection, publication_id: UUID, *, user_id: UUID) -> Publication:
    """The publication as it stays until the transaction ends, if it waits."""
    locked = await store.lock(tx, publication_id, user_id=user_id)
    row = await store.find(tx, publication_id, user_id=user_id)
    if locked is None or row is None:
        raise archive.refuse_change()
    if locked["state"] not in _WAITING:
        raise ProblemError("state_conflict", f"A publication that is {locked['state']} cannot be changed.")
    if locked["step"] == Step.PUBLISH_SENT:
        detail = "The publish call was sent already; whether the post is live is being found out."
        raise ProblemError("outcome_unresolved", detail)
    return store.present(row)
