"""`/v1/posts`: content, and the wish to have it published."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import msgspec

from services.api.call import Call
from services.api.http import (
    Answer,
    Caller,
    NoQuery,
    Order,
    Page,
    RemovalQuery,
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
from services.api.posts.change_post import change_post, hold_post, require_new_media_reachable
from services.api.posts.content import Content
from services.api.posts.contract import (
    Accepted,
    NewPost,
    Post,
    PostChange,
    PostsQuery,
    Publish,
    Validate,
    Validation,
)
from services.api.posts.create_post import create_post
from services.api.posts.publish_post import Wish, publish_post
from services.api.posts.remove_post import hold_users, remove_post
from services.api.posts.validate_post import conclude, find_faults, try_media
from services.api.publications.contract import Removed
from services.api.routing import delete, get, patch, post
from shared.database import Connection

_ACCOUNTS_MAX = 10_000
_ONE_OF_BOTH = "Give either account_ids or group_id."


async def list_posts(call: Call[PostsQuery, None]) -> Answer[Page[Post]]:
    """List posts."""
    query, caller = call.query, call.caller
    sql, args = store.list_query(
        call.user_id,
        allowed=caller.allowed,
        type_=query.type,
        media_id=query.media_id,
        begin=query.begin,
        end=query.end,
    )
    shown, order = partial(store.present, caller=caller), Order.of(query.sort)
    async with call.connect() as connection:
        page = await fetch_page(connection, sql, args, page=call.page, present=shown, order=order)
    return answer_page(call.request, page)


async def get_post(call: Call[NoQuery, None]) -> Answer[Post]:
    """Tell about one post, its publications counted by state."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("post"), caller=call.caller))


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
        post_id = await create_post(tx, content, caller=call.caller)
        made = await _find(tx, post_id, caller=call.caller)
        await call.audit(tx, "post.created", ("post", post_id), after=made)
        return await call.keep(tx, created(made, path="/v1/posts"))


async def change(call: Call[NoQuery, PostChange]) -> Answer[Post]:
    """Change a post that is live nowhere, and with it all that waits to be published of it."""
    post_id, body, caller = call.id("post"), call.body, call.caller
    await require_new_media_reachable(call.deps, post_id, body, user_id=call.user_id)
    async with call.begin() as tx:
        current = await hold_post(tx, post_id, body, user_id=call.user_id)
        before = await _find(tx, post_id, caller=caller)
        call.require_match(answer(before))
        rescue_after_s = call.deps.settings.rescue_after_s
        await change_post(tx, post_id, body, current=current, caller=caller, rescue_after_s=rescue_after_s)
        after = await _find(tx, post_id, caller=caller)
        if after != before:
            await call.audit(tx, "post.changed", ("post", post_id), before=before, after=after)
    return answer(after)


async def remove(call: Call[RemovalQuery, None]) -> Answer[Removed]:
    """Remove a post; what was published stays live, and on record."""
    post_id, caller = call.id("post"), call.caller
    async with call.begin() as tx:
        await hold_users(tx, post_id, user_id=call.user_id)
        if await store.lock(tx, post_id, user_id=call.user_id) is None:
            raise not_found("post")
        before = await _find(tx, post_id, caller=caller)
        call.require_match(answer(before))
        removed = await remove_post(tx, post_id, cancel=call.query.cancel, caller=caller)
        await call.audit(tx, "post.removed", ("post", post_id), before=before, after=removed)
    return answer(removed)


async def validate(call: Call[NoQuery, Validate]) -> Answer[Validation]:
    """Tell everything that publishing a post would be refused for."""
    post_id, caller = call.id("post"), call.caller
    account_ids = _named(call.body.account_ids, call.body.group_id)
    wish = msgspec.structs.replace(call.body, account_ids=account_ids)
    async with call.connect() as connection:
        row = await store.find(connection, post_id, caller=caller)
        if row is None:
            raise not_found("post")
        content = store.content_of(row)
        errors, warnings = await find_faults(connection, post_id, content, wish, caller=caller)
    seen, untried = await try_media(call.deps, post_id, user_id=call.user_id)
    return answer(conclude([*errors, *seen], [*warnings, *untried]))


async def publish(call: Call[NoQuery, Publish]) -> Answer[Accepted]:
    """Publish a post on accounts or on a group's accounts."""
    deps, post_id = call.deps, call.id("post")
    wish = _wish(call.body)
    await require_reachable(deps, post_id, user_id=call.user_id)
    async with call.begin() as tx:
        made = await publish_post(tx, post_id, wish, caller=call.caller, rescue_after_s=deps.settings.rescue_after_s)
        accepted = Accepted(post_id=post_id, publish_at=made.publish_at, publications=made.ids)
        told = {"publish_at": made.publish_at, "publications": len(made.ids)}
        await call.audit(tx, "post.published", ("post", post_id), after=told)
        return await call.keep(tx, answer(accepted, status=202))


async def _find(connection: Connection, post_id: UUID, *, caller: Caller) -> Post:
    row = await store.find(connection, post_id, caller=caller)
    if row is None:
        raise not_found("post")
    return store.present(row, caller=caller)


def _wish(body: Publish) -> Wish:
    account_ids = _named(body.account_ids, body.group_id)
    if account_ids is None and body.group_id is None:
        raise invalid("invalid_value", _ONE_OF_BOTH, path="account_ids")
    return Wish(
        account_ids=account_ids,
        group_id=body.group_id,
        publish_at=None if body.publish_at is None else aware(body.publish_at, path="publish_at"),
        max_lateness_s=body.max_lateness_s,
        allow_duplicate=body.allow_duplicate,
    )


def _named(account_ids: list[UUID] | None, group_id: UUID | None) -> list[UUID] | None:
    if account_ids is None:
        return None
    if group_id is not None:
        raise invalid("invalid_value", _ONE_OF_BOTH, path="account_ids")
    if not 1 <= len(account_ids) <= _ACCOUNTS_MAX:
        raise invalid("invalid_value", f"Give 1 to {_ACCOUNTS_MAX:,} accounts.", path="account_ids")
    return list(dict.fromkeys(account_ids))


_TARGETS = ("group_empty", "account_not_publishable", "duplicate_content", "media_unreachable")

ROUTES = [
    get("/v1/posts", list_posts, limited=True),
    post("/v1/posts", add_post, statuses=(201,), limited=True),
    get("/v1/posts/{id}", get_post, limited=True),
    patch(
        "/v1/posts/{id}",
        change,
        limited=True,
        problems=("state_conflict", "media_unreachable"),
        fills_outbox=True,
        cost=10,
    ),
    delete("/v1/posts/{id}", remove, statuses=(200,), limited=True, problems=("in_use",)),
    post("/v1/posts/{id}/validate", validate, limited=True),
    post(
        "/v1/posts/{id}/publish",
        publish,
        statuses=(202,),
        limited=True,
        problems=(*_TARGETS, "timezone_required", "time_in_past"),
        fills_outbox=True,
        cost=10,
    ),
]
