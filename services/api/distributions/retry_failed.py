"""Trying again, by a person's wish, whatever of a distribution failed or was missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.api.distributions import store
from services.api.distributions.steer_distribution import require_going
from services.api.http import Fault, ProblemError, not_found
from services.api.publications.choose_targets import (
    find_same,
    find_unfit,
    hold_accounts,
    lock_post,
)
from shared.database import Connection
from shared.publications import Change, Owner, PublicationState, Step, find_targets, transition_all


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was tried again, and what was not."""

    retried: int
    conflicts: list[Fault]


async def retry_failed(
    tx: Connection, distribution_id: UUID, *, user_id: UUID, allow_duplicate: bool, rescue_after_s: float
) -> Outcome:
    """Schedule anew what failed or was missed, where the account can publish and does not show the post.

    Raises:
        ProblemError: unknown; canceled or paused (`state_conflict`); its post is gone.
    """
    known = await store.find(tx, distribution_id, user_id=user_id)
    if known is None:
        raise not_found("distribution")
    await lock_post(tx, known["post_id"], user_id=user_id)
    row = await require_going(tx, distribution_id, user_id=user_id)
    if row["paused_at"] is not None:
        raise ProblemError("state_conflict", "The distribution is paused; resume it first.")
    failed = await store.lock_failed(tx, distribution_id, user_id=user_id)
    conflicts = await _find_conflicts(
        tx,
        [publication["account_id"] for publication in failed],
        post_id=None if allow_duplicate else known["post_id"],
        user_id=user_id,
    )
    out = {conflict.account_id for conflict in conflicts}
    able = [publication for publication in failed if publication["account_id"] not in out]
    await store.wish_now(tx, [publication["id"] for publication in able], user_id=user_id, gap_s=row["min_gap_s"])
    retried = 0
    for was_sent in (False, True):
        ids = [publication["id"] for publication in able if (publication["step"] == Step.PUBLISH_SENT) is was_sent]
        change = _change(rescue_after_s, drop_container=not was_sent)
        retried += len(await transition_all(tx, ids, change, user_id=user_id))
    return Outcome(retried=retried, conflicts=conflicts)


async def _find_conflicts(
    tx: Connection, account_ids: Sequence[UUID], *, post_id: UUID | None, user_id: UUID
) -> list[Fault]:
    await hold_accounts(tx, account_ids, user_id=user_id)
    targets = await find_targets(tx, account_ids, user_id=user_id)
    known = {target.account_id for target in targets}
    gone = [
        Fault(code="account_not_publishable", message="The account was removed.", account_id=account_id)
        for account_id in account_ids
        if account_id not in known
    ]
    unfit = find_unfit(targets)
    out = {fault.account_id for fault in unfit}
    able = [target for target in targets if target.account_id not in out]
    same = [] if post_id is None else await find_same(tx, able, post_id=post_id, user_id=user_id)
    return [*gone, *unfit, *same]


def _change(rescue_after_s: float, *, drop_container: bool) -> Change:
    return Change(
        to=PublicationState.SCHEDULED,
        owner=Owner.API,
        reason="retried_by_user",
        rescue_after_s=rescue_after_s,
        through_outbox=True,
        new_revision=True,
        # What was sent may be live: the publisher looks at that container before it does anything else.
        drop_container=drop_container,
    )
