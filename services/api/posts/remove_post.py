"""Removing a post: what waits of it is told or canceled, schedules that repeat it are told or paused.

They and the queues in which it waits are locked before the post, as all do who lock several of them.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from services.api.http import Caller, ProblemError
from services.api.post_queues import store as post_queues
from services.api.posts import store
from services.api.posts.stop_posts import awaited_faults, require_unused, stop_posts
from services.api.publications.contract import Removed
from services.api.schedules.dependents import Lost, break_schedules, lock_dependents, schedule_faults
from shared.database import Connection


async def hold_users(tx: Connection, post_id: UUID, *, user_id: UUID) -> None:
    """Hold the schedules that repeat a post, and the queues in which it waits. Call it before the post is locked."""
    await lock_dependents(tx, post_id, user_id=user_id)
    await post_queues.lock_with(tx, post_id, user_id=user_id)


async def remove_post(tx: Connection, post_id: UUID, *, cancel: bool, caller: Caller) -> Removed:
    """Remove a locked post, and take it out of the queues in which it waits.

    Raises:
        ProblemError: publications of it are to come, or a schedule repeats it, and `cancel` is not said (`in_use`); or
            the key may not act on all that depends on it (`account_not_allowed`).
    """
    user_id = caller.user_id
    faults = await awaited_faults(tx, [post_id], caller=caller)
    dependents = await lock_dependents(tx, post_id, user_id=user_id)
    queues = await post_queues.lock_with(tx, post_id, user_id=user_id)
    if (dependents or queues) and caller.account_ids is not None:
        detail = "A schedule repeats the post, or it waits in a post queue. Use a key that is not limited to accounts."
        raise ProblemError("account_not_allowed", detail)
    require_unused([] if cancel else [*faults, *schedule_faults(dependents)])
    paused = await break_schedules(tx, dependents, Lost.POST, user_id=user_id)
    await post_queues.drop_post(tx, post_id, user_id=user_id)
    removed = await stop_posts(tx, [post_id], user_id=user_id)
    await store.remove(tx, post_id, user_id=user_id)
    return msgspec.structs.replace(removed, paused_schedules=paused)
