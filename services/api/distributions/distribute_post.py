"""Distributing a post: a plan over a window, and the publications that follow it."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.api.accounts.require_accounts import require_accounts
from services.api.http import Caller, Fault, ProblemError, invalid
from services.api.publications.choose_targets import (
    check_lateness,
    find_barred,
    find_members,
    find_same,
    lock_post,
    require_not_past,
)
from shared.database import Connection
from shared.publications import (
    Draft,
    NewDistribution,
    Plan,
    PlanError,
    Target,
    lock_plans,
    plan_distribution,
    read_candidates,
    write_distribution,
)

#: The largest seed: the largest whole number that every JSON reader keeps as it is.
SEED_MAX = 2**53 - 1
_GAP_S_MAX = 366 * 86_400.0
# The code of a refusal is that of the first of these that some account meets.
_FIRST_CODES = ("account_not_publishable", "duplicate_content", "capacity_exceeded")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """Who would publish when, and who cannot."""

    drafts: list[Draft]
    conflicts: list[Fault]

    @property
    def digest(self) -> str:
        """The same for the same plan."""
        text = "".join(f"{draft.account_id}{draft.publish_at.isoformat()}" for draft in self.drafts)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def new_seed() -> int:
    """A seed for a plan whose maker gave none; told in the answer, so that the plan can be made again."""
    return secrets.randbelow(SEED_MAX + 1)


async def plan_post(
    tx: Connection, new: NewDistribution, *, group_id: UUID, caller: Caller, allow_duplicate: bool
) -> Planned:
    """Who would publish when. Holds the post until the transaction ends, and writes nothing.

    Raises:
        ProblemError: the distribution cannot be made.
    """
    _check(new)
    user_id = caller.user_id
    now = await lock_post(tx, new.post_id, user_id=user_id)
    require_not_past(new.window.begin, now=now, path="window.from")
    targets = await find_members(tx, group_id, user_id=user_id)
    caller.require_allowed(target.account_id for target in targets)
    await lock_plans(tx, user_id=user_id)
    conflicts = find_barred(targets)
    if not allow_duplicate:
        conflicts += await find_same(tx, _without(targets, conflicts), post_id=new.post_id, user_id=user_id)
    able = _without(targets, conflicts)
    plan = await _plan(tx, new, [target.account_id for target in able], user_id=user_id)
    return Planned(drafts=plan.drafts, conflicts=[*conflicts, *_no_room(able, plan)])


def require_no_conflicts(planned: Planned) -> None:
    """Go on only if every account of the group is in the plan.

    Raises:
        ProblemError: with each account that is not, and why.
    """
    found = {conflict.code for conflict in planned.conflicts}
    for code in _FIRST_CODES:
        if code in found:
            detail = f"{len(planned.conflicts)} account(s) cannot take part; on_conflict=skip leaves them out."
            existing_ids = (conflict.existing_id for conflict in planned.conflicts if conflict.existing_id)
            raise ProblemError(code, detail, errors=planned.conflicts, existing_id=next(existing_ids, None))


def require_same(planned: Planned, digest: str | None) -> None:
    """Go on only with the plan that the client has seen.

    Raises:
        ProblemError: `plan_changed`.
    """
    if digest is not None and digest != planned.digest:
        detail = "Accounts, or what else they publish, have changed since the plan was shown. Ask for the plan again."
        raise ProblemError("plan_changed", detail)


async def distribute_post(
    tx: Connection, new: NewDistribution, drafts: Sequence[Draft], *, user_id: UUID, rescue_after_s: float
) -> UUID:
    """Write the distribution and its publications, in the transaction that planned them; returns its id."""
    distribution_id = await write_distribution(tx, new, drafts, user_id=user_id, rescue_after_s=rescue_after_s)
    # One that was being removed meanwhile was waited for, and is gone now.
    await require_accounts(tx, [draft.account_id for draft in drafts], path="group_id", user_id=user_id)
    return distribution_id


async def _plan(tx: Connection, new: NewDistribution, account_ids: Sequence[UUID], *, user_id: UUID) -> Plan:
    window = new.window
    candidates = await read_candidates(tx, account_ids, user_id=user_id, begin=window.begin, end=window.end)
    try:
        # For ten thousand it takes long enough that others would wait.
        return await asyncio.to_thread(
            plan_distribution, candidates, window=window, min_gap_s=new.min_gap_s, seed=new.seed
        )
    except PlanError as error:
        raise invalid("window_too_short", str(error), path="min_gap_s") from error


def _without(targets: Sequence[Target], conflicts: Sequence[Fault]) -> list[Target]:
    out = {conflict.account_id for conflict in conflicts}
    return [target for target in targets if target.account_id not in out]


def _no_room(targets: Sequence[Target], plan: Plan) -> list[Fault]:
    names = {target.account_id: target.username for target in targets}
    full = "what it publishes already, its quota or its warm-up leave no room in the window."
    crowded = "when it could publish, the others do; a longer window or a smaller min_gap_s makes room."
    return [
        Fault(code="capacity_exceeded", message=f"{names[account_id]}: {why}", account_id=account_id)
        for account_ids, why in ((plan.full, full), (plan.crowded, crowded))
        for account_id in sorted(account_ids)
    ]


def _check(new: NewDistribution) -> None:
    check_lateness(new.max_lateness_s)
    if new.window.end < new.window.begin:
        raise invalid("invalid_value", "The window ends before it begins.", path="window.to")
    if not 0 <= new.min_gap_s <= _GAP_S_MAX:
        raise invalid("invalid_value", f"min_gap_s must lie from 0 to {_GAP_S_MAX:,.0f}.", path="min_gap_s")
    if not 0 <= new.seed <= SEED_MAX:
        raise invalid("invalid_value", f"The seed must lie from 0 to {SEED_MAX}.", path="seed")
