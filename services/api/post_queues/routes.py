"""`/v1/post-queues`: posts that wait for schedules to take them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.api.call import Call
from services.api.http import (
    Answer,
    NoQuery,
    Order,
    Page,
    RemovalQuery,
    answer,
    answer_page,
    created,
    fetch_page,
    no_content,
    not_found,
)
from services.api.post_queues import store
from services.api.post_queues.change_queue import change_queue, create_queue
from services.api.post_queues.contract import MorePosts, NewPostQueue, PostQueue, PostQueueChange, PostQueuesQuery
from services.api.post_queues.fill_queue import append_posts
from services.api.posts.stop_posts import require_unused
from services.api.routing import delete, get, patch, post
from services.api.schedules.dependents import Lost, break_schedules, lock_dependents, schedule_faults
from shared.alerts import AlertCode, resolve_alerts
from shared.database import Connection


async def list_queues(call: Call[PostQueuesQuery, None]) -> Answer[Page[PostQueue]]:
    """One page of the tenant's post queues."""
    sql, args = store.list_query(call.user_id)
    order = Order.of(call.query.sort)
    async with call.connect() as connection:
        page = await fetch_page(connection, sql, args, page=call.page, present=store.present, order=order)
    return answer_page(call.request, page)


async def get_queue(call: Call[NoQuery, None]) -> Answer[PostQueue]:
    """One post queue, with the posts that wait in it."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("post queue"), user_id=call.user_id))


async def add_queue(call: Call[NoQuery, NewPostQueue]) -> Answer[PostQueue]:
    """Make a post queue."""
    async with call.begin() as tx:
        queue_id = await create_queue(tx, call.body, user_id=call.user_id)
        queue = await _find(tx, queue_id, user_id=call.user_id)
        await call.audit(tx, "post_queue.created", ("post_queue", queue_id), after=queue)
        return await call.keep(tx, created(queue, path="/v1/post-queues"))


async def edit_queue(call: Call[NoQuery, PostQueueChange]) -> Answer[PostQueue]:
    """Change a post queue, or which posts wait in it."""
    queue_id = call.id("post queue")
    async with call.begin() as tx:
        before = await _lock(call, tx, queue_id)
        call.require_match(answer(before))
        await change_queue(tx, before, call.body, user_id=call.user_id)
        after = await _find(tx, queue_id, user_id=call.user_id)
        if after != before:
            await call.audit(tx, "post_queue.changed", ("post_queue", queue_id), before=before, after=after)
    return answer(after)


async def remove_queue(call: Call[RemovalQuery, None]) -> Answer[None]:
    """Remove a post queue; its posts stay."""
    queue_id, user_id = call.id("post queue"), call.user_id
    async with call.begin() as tx:
        await lock_dependents(tx, queue_id, user_id=user_id)
        before = await _lock(call, tx, queue_id)
        call.require_match(answer(before))
        dependents = await lock_dependents(tx, queue_id, user_id=user_id)
        require_unused([] if call.query.cancel else schedule_faults(dependents))
        paused = await break_schedules(tx, dependents, Lost.POST_QUEUE, user_id=user_id)
        await resolve_alerts(tx, AlertCode.QUEUE_EMPTY, [queue_id], user_id=user_id)
        await store.delete(tx, queue_id, user_id=user_id)
        told = {"paused_schedules": paused}
        await call.audit(tx, "post_queue.removed", ("post_queue", queue_id), before=before, after=told)
    return no_content()


async def append(call: Call[NoQuery, MorePosts]) -> Answer[PostQueue]:
    """Put posts behind those that wait."""
    queue_id, post_ids = call.id("post queue"), call.body.post_ids
    async with call.begin() as tx:
        before = await _lock(call, tx, queue_id)
        await append_posts(tx, queue_id, post_ids, waiting=before.post_count, user_id=call.user_id)
        after = await _find(tx, queue_id, user_id=call.user_id)
        told = {"added": len(post_ids), "post_count": after.post_count}
        await call.audit(tx, "post_queue.filled", ("post_queue", queue_id), after=told)
        return await call.keep(tx, answer(after))


async def _find(connection: Connection, queue_id: UUID, *, user_id: UUID) -> PostQueue:
    row = await store.find(connection, queue_id, user_id=user_id)
    if row is None:
        raise not_found("post queue")
    return store.present(row)


async def _lock(call: Call[Any, Any], tx: Connection, queue_id: UUID) -> PostQueue:
    if not await store.lock(tx, queue_id, user_id=call.user_id):
        raise not_found("post queue")
    return await _find(tx, queue_id, user_id=call.user_id)


ROUTES = [
    get("/v1/post-queues", list_queues),
    post("/v1/post-queues", add_queue, statuses=(201,), problems=("name_taken",), cost=5),
    get("/v1/post-queues/{id}", get_queue),
    patch("/v1/post-queues/{id}", edit_queue, problems=("name_taken",), cost=5),
    delete("/v1/post-queues/{id}", remove_queue, problems=("in_use",)),
    post("/v1/post-queues/{id}/posts", append, cost=5),
]
