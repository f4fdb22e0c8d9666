"""`/v1/posts`: content, and the wish to have it published."""

from __future__ import annotations

from uuid import UUID

from services.api.call import Call
from services.api.http import (
    Answer,
    NoQuery,
    Page,
    PageQuery,
    answer,
    answer_page,
    aware,
    created,
    fetch_page,
    invalid,
    not_found,
)
from services.api.media.fetch_publicly import require_reachable
from services.api.posts import store
from services.api.posts.content import Content
from services.api.posts.contract import Accepted, NewPost, Post, Publish
from services.api.posts.create_post import create_post
from services.api.posts.publish_post import Wish, publish_post
from services.api.routing import get, post
from shared.database import Connection

_ACCOUNTS_MAX = 10_000


async def list_posts(call: Call[PageQuery, None]) -> Answer[Page[Post]]:
    """One page of the tenant's posts."""
    async with call.connect() as connection:
        page = await fetch_page(connection, store.LIST, [call.user_id], page=call.page, present=store.present)
    return answer_page(call.request, page)


async def get_post(call: Call[NoQuery, None]) -> Answer[Post]:
    """One post."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("post"), user_id=call.user_id))


async def add_post(call: Call[NoQuery, NewPost]) -> Answer[Post]:
    """Store a post."""
    body = call.body
    content = Content(
        type=body.type,
        caption=body.caption,
        media_ids=body.media_ids,
        own_captions={account_id: override.caption for account_id, override in body.overrides.items()},
        options=body.options,
    )
    async with call.begin() as tx:
        post_id = await create_post(tx, content, user_id=call.user_id)
        made = await _find(tx, post_id, user_id=call.user_id)
        await call.audit(tx, "post.created", ("post", post_id), after=made)
        return await call.keep(tx, created(made, path="/v1/posts"))


async def publish(call: Call[NoQuery, Publish]) -> Answer[Accepted]:
    """Publish a post on accounts or on a group's accounts."""
    deps, post_id = call.deps, call.id("post")
    wish = _wish(call.body)
    await require_reachable(deps, post_id, user_id=call.user_id)
    async with call.begin() as tx:
        made = await publish_post(tx, post_id, wish, user_id=call.user_id, rescue_after_s=deps.settings.rescue_after_s)
        accepted = Accepted(post_id=post_id, publish_at=made.publish_at, publications=made.ids)
        told = {"publish_at": made.publish_at, "publications": len(made.ids)}
        await call.audit(tx, "post.published", ("post", post_id), after=told)
        return await call.keep(tx, answer(accepted, status=202))


async def _find(connection: Connection, post_id: UUID, *, user_id: UUID) -> Post:
    row = await store.find(connection, post_id, user_id=user_id)
    if row is None:
        raise not_found("post")
    return store.present(row)


def _wish(body: Publish) -> Wish:
    if (body.account_ids is None) == (body.group_id is None):
        raise invalid("invalid_value", "Give either account_ids or group_id.", path="account_ids")
    if body.account_ids is not None and not 1 <= len(body.account_ids) <= _ACCOUNTS_MAX:
        raise invalid("invalid_value", f"Give 1 to {_ACCOUNTS_MAX:,} accounts.", path="account_ids")
    return Wish(
        account_ids=None if body.account_ids is None else list(dict.fromkeys(body.account_ids)),
        group_id=body.group_id,
        publish_at=None if body.publish_at is None else aware(body.publish_at, path="publish_at"),
        max_lateness_s=body.max_lateness_s,
        allow_duplicate=body.allow_duplicate,
    )


ROUTES = [
    get("/v1/posts", list_posts),
    post("/v1/posts", add_post, statuses=(201,)),
    get("/v1/posts/{id}", get_post),
    post("/v1/posts/{id}/publish", publish, statuses=(202,), fills_outbox=True, cost=10),
]
