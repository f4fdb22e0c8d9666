"""Spreading the post of an occurrence over its accounts: who takes part, when, and what is written of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.scheduler.choose_post import ChosenPost, ScheduleBrokenError
from services.scheduler.end_occurrence import Conflict, Outcome
from shared.database import Connection, Row
from shared.jobs import Transient
from shared.publications import (
    Draft,
    NewDistribution,
    Plan,
    PlanError,
    Target,
    Window,
    find_duplicates,
    find_group_targets,
    find_targets,
    lock_plans,
    plan_distribution,
    read_candidates,
    write_distribution,
)
from shared.schedules import OccurrenceReason

_SEEDS = 2**53
_AGAIN_AFTER_S = 1.0


async def spread_post(
    tx: Connection, schedule: Row, chosen: ChosenPost, *, begin: datetime, rescue_after_s: float
) -> Outcome:
    """Write a distribution of the post, which is locked, over the accounts of the schedule.

    Raises:
        ScheduleBrokenError: its account or group was removed.
        Transient: an account was removed meanwhile; undo it all and try again.
    """
    user_id: UUID = schedule["user_id"]
    await lock_plans(tx, user_id=user_id)
    targets = await _find_targets(tx, schedule)
    conflicts = [_conflict(target.account_id, "account_not_publishable") for target in targets if target.barred_because]
    able = [target.account_id for target in targets if not target.barred_because]
    if not chosen.repeats:
        same = await find_duplicates(tx, user_id=user_id, post_id=chosen.post_id, account_ids=able)
        conflicts += [_conflict(account_id, "duplicate_content") for account_id in same]
        able = [account_id for account_id in able if account_id not in same]
    wanted = Window(begin=begin, end=begin + timedelta(seconds=schedule["window_s"]))
    seed = secrets.randbelow(_SEEDS)
    window, plan = await _plan(tx, schedule, able, window=wanted, seed=seed)
    conflicts += [_conflict(account_id, "capacity_exceeded") for account_id in (*plan.full, *plan.crowded)]
    if not plan.drafts:
        return Outcome(state="skipped", reason=OccurrenceReason.NO_ACCOUNT, post_id=chosen.post_id, conflicts=conflicts)
    new = NewDistribution(
        post_id=chosen.post_id,
        group_id=schedule["group_id"],
        window=window,
        min_gap_s=schedule["min_gap_s"],
        max_lateness_s=schedule["max_lateness_s"],
        seed=seed,
        schedule_id=schedule["id"],
    )
    return Outcome(
        state="distributed",
        reason=None if window == wanted else OccurrenceReason.WINDOW_EXTENDED,
        post_id=chosen.post_id,
        distribution_id=await _write(tx, new, plan.drafts, user_id=user_id, rescue_after_s=rescue_after_s),
        publications=len(plan.drafts),
        conflicts=conflicts,
    )


async def _find_targets(tx: Connection, schedule: Row) -> list[Target]:
    user_id: UUID = schedule["user_id"]
    if schedule["group_id"] is not None:
        return await find_group_targets(tx, schedule["group_id"], user_id=user_id)
    if schedule["account_id"] is None:
        raise ScheduleBrokenError(
            OccurrenceReason.GROUP_GONE, "its group was removed; give it another group or an account."
        )
    targets = await find_targets(tx, [schedule["account_id"]], user_id=user_id)
    if not targets:
        raise ScheduleBrokenError(
            OccurrenceReason.ACCOUNT_GONE, "its account was removed; give it another account or a group."
        )
    return targets


async def _plan(
    tx: Connection, schedule: Row, account_ids: Sequence[UUID], *, window: Window, seed: int
) -> tuple[Window, Plan]:
    """The plan, in the window that it needs: rather a longer one than nothing at all."""
    try:
        return window, await _plan_in(tx, schedule, account_ids, window=window, seed=seed)
    except PlanError:
        gaps = timedelta(seconds=schedule["min_gap_s"]) * (len(account_ids) - 1)
        longer = Window(begin=window.begin, end=window.begin + gaps)
        return longer, await _plan_in(tx, schedule, account_ids, window=longer, seed=seed)


async def _plan_in(tx: Connection, schedule: Row, account_ids: Sequence[UUID], *, window: Window, seed: int) -> Plan:
    candidates = await read_candidates(tx, account_ids, user_id=schedule["user_id"], begin=window.begin, end=window.end)
    # For ten thousand it takes long enough that other jobs would wait.
    return await asyncio.to_thread(
        plan_distribution, candidates, window=window, min_gap_s=schedule["min_gap_s"], seed=seed
    )


async def _write(
    tx: Connection, new: NewDistribution, drafts: Sequence[Draft], *, user_id: UUID, rescue_after_s: float
) -> UUID:
    distribution_id = await write_distribution(tx, new, drafts, user_id=user_id, rescue_after_s=rescue_after_s)
    # One that was being removed meanwhile was waited for, and is gone now.
    there = await find_targets(tx, [draft.account_id for draft in drafts], user_id=user_id)
    if len(there) < len(drafts):
        raise Transient("An account was removed while its publication was planned.", retry_after_s=_AGAIN_AFTER_S)
    return distribution_id


def _conflict(account_id: UUID, code: str) -> Conflict:
    return Conflict(account_id=account_id, code=code)
