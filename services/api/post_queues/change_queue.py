"""Making and changing a post queue."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET

from services.api.http import ProblemError
from services.api.names import clean_name
from services.api.post_queues import store
from services.api.post_queues.contract import NewPostQueue, PostQueue, PostQueueChange
from services.api.post_queues.fill_queue import append_posts, replace_posts
from shared.database import Connection


async def create_queue(tx: Connection, new: NewPostQueue, *, user_id: UUID) -> UUID:
    """Make a post queue with these posts in it; answers its id.

    Raises:
        ProblemError: the name is taken (`name_taken`), or a post is unknown (`not_found`).
    """
    name = clean_name(new.name)
    queue_id = await store.insert(tx, name=name, on_empty=new.on_empty, user_id=user_id)
    if queue_id is None:
        raise await _name_taken(tx, name, user_id=user_id)
    await append_posts(tx, queue_id, new.post_ids, waiting=0, user_id=user_id)
    return queue_id


async def change_queue(tx: Connection, current: PostQueue, change: PostQueueChange, *, user_id: UUID) -> None:
    """Make a locked post queue what is wished; what the wish leaves out stays.

    Raises:
        ProblemError: the name is taken (`name_taken`), or a post is unknown (`not_found`).
    """
    name = current.name if change.name is UNSET else clean_name(change.name)
    on_empty = current.on_empty if change.on_empty is UNSET else change.on_empty
    differs = (name, on_empty) != (current.name, current.on_empty)
    if differs and not await store.update(tx, current.id, name=name, on_empty=on_empty, user_id=user_id):
        raise await _name_taken(tx, name, user_id=user_id)
    if change.post_ids is not UNSET and change.post_ids != current.post_ids:
        await replace_posts(tx, current.id, change.post_ids, user_id=user_id)


async def _name_taken(connection: Connection, name: str, *, user_id: UUID) -> ProblemError:
    existing_id = await store.find_by_name(connection, name, user_id=user_id)
    return ProblemError("name_taken", f"There is a post queue {name!r} already.", existing_id=existing_id)
