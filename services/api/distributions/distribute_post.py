"""Distributing a post: a plan over a window, and the publications that follow it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.api.distributions import store
from services.api.distributions.store import NewDistribution
from services.api.http import invalid
from services.api.publications.choose_targets import (
    check_lateness,
    find_members,
    lock_post,
    require_no_duplicates,
    require_not_past,
    require_publishable,
)
from shared.database import Connection
from shared.publications import Draft, PlanError, create_publications, plan_distribution

#: The largest seed: the largest whole number that every JSON reader keeps as it is.
SEED_MAX = 2**53 - 1
_GAP_S_MAX = 366 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class Distributed:
    """What a distribution made."""

    id: UUID
    publications: int


def new_seed() -> int:
    """A seed for a plan whose maker gave none; told in the answer, so that the plan can be made again."""
    return secrets.randbelow(SEED_MAX + 1)


async def plan_post(tx: Connection, new: NewDistribution, *, user_id: UUID, allow_duplicate: bool) -> list[Draft]:
    """Who would publish when. Holds the post until the transaction ends, and writes nothing.

    Raises:
        ProblemError: the distribution cannot be made.
    """
    _check(new)
    now = await lock_post(tx, new.post_id, user_id=user_id)
    require_not_past(new.window.begin, now=now, path="window.from")
    targets = await find_members(tx, new.group_id, user_id=user_id)
    require_publishable(targets)
    if not allow_duplicate:
        await require_no_duplicates(tx, targets, post_id=new.post_id, user_id=user_id)
    account_ids = [target.account_id for target in targets]
    try:
        return plan_distribution(account_ids, window=new.window, min_gap_s=new.min_gap_s, seed=new.seed)
    except PlanError as error:
        raise invalid("window_too_short", str(error), path="min_gap_s") from error


async def distribute_post(
    tx: Connection, new: NewDistribution, plan: Sequence[Draft], *, user_id: UUID, rescue_after_s: float
) -> Distributed:
    """Write the distribution and its publications, in the transaction that planned them."""
    distribution_id = await store.insert(tx, new, user_id=user_id)
    ids = await create_publications(
        tx,
        plan,
        user_id=user_id,
        post_id=new.post_id,
        distribution_id=distribution_id,
        planned=True,
        max_lateness_s=new.max_lateness_s,
        rescue_after_s=rescue_after_s,
    )
    return Distributed(id=distribution_id, publications=len(ids))


def _check(new: NewDistribution) -> None:
    check_lateness(new.max_lateness_s)
    if new.window.end < new.window.begin:
        raise invalid("invalid_value", "The window ends before it begins.", path="window.to")
    if not 0 <= new.min_gap_s <= _GAP_S_MAX:
        raise invalid("invalid_value", f"min_gap_s must lie from 0 to {_GAP_S_MAX:,.0f}.", path="min_gap_s")
    if not 0 <= new.seed <= SEED_MAX:
        raise invalid("invalid_value", f"The seed must lie from 0 to {SEED_MAX}.", path="seed")
