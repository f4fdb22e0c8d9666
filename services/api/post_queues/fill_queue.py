"""Saying which posts wait in a post queue, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.api.http import Fault, ProblemError, invalid
from services.api.post_queues import store
from services.api.post_queues.contract import POSTS_MAX
from services.api.posts.store import hold_all
from shared.alerts import AlertCode, resolve_alerts
from shared.database import Connection


async def append_posts(
    tx: Connection, queue_id: UUID, post_ids: Sequence[UUID], *, waiting: int, user_id: UUID
) -> None:
    """Put posts behind those that wait in a locked queue. A post may stand in it more than once.

    Args:
        tx: the transaction that holds the queue.
        queue_id: which.
        post_ids: in their order.
        waiting: how many posts wait already.
        user_id: the tenant.

    Raises:
        ProblemError: it would be too many, or a post is unknown (`not_found`, with each that is).
    """
    if waiting + len(post_ids) > POSTS_MAX:
        raise invalid("invalid_value", f"At most {POSTS_MAX:,} posts wait in a queue.", path="post_ids")
    known = set(await hold_all(tx, post_ids, user_id=user_id))
    missing = [
        Fault(code="not_found", message="There is no such post.", path=f"post_ids[{place}]")
        for place, post_id in enumerate(post_ids)
        if post_id not in known
    ]
    if missing:
        raise ProblemError("not_found", f"{len(missing)} post(s) do not exist.", errors=missing)
    await store.add(tx, queue_id, post_ids, user_id=user_id)
    if post_ids:
        await resolve_alerts(tx, AlertCode.QUEUE_EMPTY, [queue_id], user_id=user_id)


async def replace_posts(tx: Connection, queue_id: UUID, post_ids: Sequence[UUID], *, user_id: UUID) -> None:
    """Let these posts wait in a locked queue, instead of those that do.

    Raises:
        ProblemError: a post is unknown (`not_found`).
    """
    await store.clear(tx, queue_id, user_id=user_id)
    await append_posts(tx, queue_id, post_ids, waiting=0, user_id=user_id)
