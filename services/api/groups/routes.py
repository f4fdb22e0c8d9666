"""`/v1/groups`: named sets of accounts."""

from __future__ import annotations

from uuid import UUID

import msgspec
from aiohttp import web

from services.api.connections import begin, connect
from services.api.deps import DEPS
from services.api.groups import store
from services.api.groups.create_group import check_group, create_group
from services.api.http import (
    Body,
    Caller,
    answer,
    answer_page,
    created,
    fetch_page,
    no_content,
    not_found,
    path_id,
    read_json,
    read_page,
    read_query,
)
from services.api.routing import delete, get, post, put
from shared.database import Connection


class GroupBody(Body, frozen=True, kw_only=True):
    """A group as a client wants it."""

    name: str
    color: str | None = None
    tags: list[str] = msgspec.field(default_factory=list)
    account_ids: list[UUID] = msgspec.field(default_factory=list)


async def list_groups(request: web.Request, caller: Caller) -> web.Response:
    """One page of the tenant's groups."""
    deps = request.app[DEPS]
    read_query(request, paged=True)
    page = read_page(request, user_id=caller.user_id, secret=deps.settings.cursor_secret)
    async with connect(deps.pool) as connection:
        body = await fetch_page(connection, store.LIST, [caller.user_id], page=page, present=dict)
    return answer_page(request, body)


async def get_group(request: web.Request, caller: Caller) -> web.Response:
    """One group."""
    group_id = path_id(request, "group")
    async with connect(request.app[DEPS].pool) as connection:
        row = await store.find(connection, group_id, user_id=caller.user_id)
    if row is None:
        raise not_found("group")
    return answer(dict(row))


async def add_group(request: web.Request, caller: Caller) -> web.Response:
    """Make a group, with accounts if they are given."""
    body = await read_json(request, GroupBody)
    new = check_group(name=body.name, color=body.color, tags=body.tags)
    account_ids = list(dict.fromkeys(body.account_ids))
    async with begin(request.app[DEPS].pool) as tx:
        group_id = await create_group(tx, new, account_ids=account_ids, user_id=caller.user_id)
        row = await store.find(tx, group_id, user_id=caller.user_id)
    return created(dict(row or {}), path="/v1/groups")


async def add_member(request: web.Request, caller: Caller) -> web.Response:
    """Put an account into a group."""
    group_id, account_id = path_id(request, "group"), path_id(request, "account", name="account_id")
    async with begin(request.app[DEPS].pool) as tx:
        await _require(tx, group_id, account_id, user_id=caller.user_id)
        await store.add_members(tx, group_id, [account_id], user_id=caller.user_id)
    return no_content()


async def remove_member(request: web.Request, caller: Caller) -> web.Response:
    """Take an account out of a group."""
    group_id, account_id = path_id(request, "group"), path_id(request, "account", name="account_id")
    async with begin(request.app[DEPS].pool) as tx:
        await _require(tx, group_id, account_id, user_id=caller.user_id)
        await store.remove_member(tx, group_id, account_id, user_id=caller.user_id)
    return no_content()


async def _require(tx: Connection, group_id: UUID, account_id: UUID, *, user_id: UUID) -> None:
    known = await store.known(tx, group_id, account_id, user_id=user_id)
    for what in ("group", "account"):
        if known is None or not known[what]:
            raise not_found(what)


ROUTES = [
    get("/v1/groups", list_groups, query=True),
    post("/v1/groups", add_group),
    get("/v1/groups/{id}", get_group),
    put("/v1/groups/{id}/accounts/{account_id}", add_member),
    delete("/v1/groups/{id}/accounts/{account_id}", remove_member),
]
