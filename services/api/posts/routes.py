"""`/v1/posts`: content, and the wish to have it published."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from aiohttp import web

from services.api.connections import begin, connect
from services.api.deps import DEPS
from services.api.http import (
    Body,
    Caller,
    answer,
    answer_page,
    aware,
    created,
    fetch_page,
    invalid,
    not_found,
    path_id,
    read_json,
    read_page,
    read_query,
)
from services.api.media.fetch_publicly import require_reachable
from services.api.posts import store
from services.api.posts.content import Content
from services.api.posts.create_post import create_post
from services.api.posts.publish_post import Wish, publish_post
from services.api.routing import get, post
from shared.publications import DEFAULT_MAX_LATENESS_S, PostOptions, PostType

_ACCOUNTS_MAX = 10_000


class Override(Body, frozen=True, kw_only=True):
    """What one account says instead."""

    caption: str


class PostBody(Body, frozen=True, kw_only=True):
    """A post as a client wants it."""

    type: PostType = PostType.IMAGE
    caption: str = ""
    media_ids: list[UUID]
    overrides: dict[UUID, Override] = msgspec.field(default_factory=dict)
    options: PostOptions = PostOptions()


class PublishBody(Body, frozen=True, kw_only=True):
    """Where and when."""

    account_ids: list[UUID] | None = None
    group_id: UUID | None = None
    publish_at: datetime | None = None
    max_lateness_s: int | None = DEFAULT_MAX_LATENESS_S
    allow_duplicate: bool = False


async def list_posts(request: web.Request, caller: Caller) -> web.Response:
    """One page of the tenant's posts."""
    deps = request.app[DEPS]
    read_query(request, paged=True)
    page = read_page(request, user_id=caller.user_id, secret=deps.settings.cursor_secret)
    async with connect(deps.pool) as connection:
        body = await fetch_page(connection, store.LIST, [caller.user_id], page=page, present=store.present)
    return answer_page(request, body)


async def get_post(request: web.Request, caller: Caller) -> web.Response:
    """One post."""
    post_id = path_id(request, "post")
    async with connect(request.app[DEPS].pool) as connection:
        row = await store.find(connection, post_id, user_id=caller.user_id)
    if row is None:
        raise not_found("post")
    return answer(store.present(row))


async def add_post(request: web.Request, caller: Caller) -> web.Response:
    """Store a post."""
    body = await read_json(request, PostBody)
    content = Content(
        type=body.type,
        caption=body.caption,
        media_ids=body.media_ids,
        own_captions={account_id: override.caption for account_id, override in body.overrides.items()},
        options=body.options,
    )
    async with begin(request.app[DEPS].pool) as tx:
        post_id = await create_post(tx, content, user_id=caller.user_id)
        row = await store.find(tx, post_id, user_id=caller.user_id)
    return created(store.present(row) if row else {}, path="/v1/posts")


async def publish(request: web.Request, caller: Caller) -> web.Response:
    """Publish a post on accounts or on a group's accounts."""
    deps, post_id = request.app[DEPS], path_id(request, "post")
    wish = _wish(await read_json(request, PublishBody))
    await require_reachable(deps, post_id, user_id=caller.user_id)
    async with begin(deps.pool) as tx:
        made = await publish_post(
            tx, post_id, wish, user_id=caller.user_id, rescue_after_s=deps.settings.rescue_after_s
        )
    return answer({"post_id": post_id, "publish_at": made.publish_at, "publications": made.ids}, status=202)


def _wish(body: PublishBody) -> Wish:
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
    get("/v1/posts", list_posts, query=True),
    post("/v1/posts", add_post),
    get("/v1/posts/{id}", get_post),
    post("/v1/posts/{id}/publish", publish),
]
