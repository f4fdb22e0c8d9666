"""Removing a medium: nothing that waits is left with a picture that is gone."""

from __future__ import annotations

from uuid import UUID

from services.api.http import Caller
from services.api.media import store
from services.api.posts.stop_posts import awaited_faults, require_unused, shown_fault, stop_posts
from services.api.posts.store import lock_showing
from services.api.publications.contract import Removed
from shared.database import Connection


async def remove_media(tx: Connection, media_id: UUID, *, cancel: bool, caller: Caller) -> Removed:
    """Remove a medium whose row the transaction holds; its bytes are dropped by `drop_removed` once it is committed.

    Raises:
        ProblemError: posts show it and `cancel` is not said (`in_use`), or the key may not act on an account where one
            of them is to be published.
    """
    post_ids = await lock_showing(tx, media_id, user_id=caller.user_id)
    removed = Removed(canceled=0, in_flight=[], sent=[], paused_schedules=0)
    if post_ids:
        faults = [shown_fault(post_ids), *await awaited_faults(tx, post_ids, caller=caller)]
        require_unused([] if cancel else faults)
        removed = await stop_posts(tx, post_ids, user_id=caller.user_id)
    await store.remove(tx, media_id, user_id=caller.user_id)
    return removed
