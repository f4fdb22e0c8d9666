"""`/v1/groups`: named sets of accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from services.api.accounts import store as accounts
from services.api.accounts.contract import Account
from services.api.cached_pages import answer_cached_page
from services.api.call import Call
from services.api.groups import store
from services.api.groups.change_group import Moved, change_group, change_members
from services.api.groups.contract import Group, GroupChange, GroupsQuery, MembersChange, NewGroup
from services.api.groups.create_group import check_group, create_group
from services.api.http import (
    Answer,
    NoQuery,
    Order,
    Page,
    PageQuery,
    RemovalQuery,
    answer,
    answer_page,
    created,
    fetch_page,
    no_content,
    not_found,
)
from services.api.posts.stop_posts import require_unused
from services.api.routing import delete, get, patch, post, put
from services.api.schedules.dependents import Lost, break_schedules, lock_dependents, schedule_faults
from shared.cache import CacheNamespace, CacheTTL
from shared.database import Connection
from shared.outbox import Event, record_events


async def list_groups(call: Call[GroupsQuery, None]) -> Answer[Page[Group]]:
    """One page of the tenant's groups, by tag and by account."""
    query = call.query

    async def load() -> Page[Group]:
        sql, args = store.list_query(call.user_id, tag=query.tag, account_id=query.account_id)
        order = Order.of(query.sort)
        async with call.connect() as connection:
            return await fetch_page(connection, sql, args, page=call.page, present=store.present, order=order)

    return await answer_cached_page(call, load, namespace=CacheNamespace.GROUP, ttl=CacheTTL.MEDIUM)


async def get_group(call: Call[NoQuery, None]) -> Answer[Group]:
    """One group."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("group"), user_id=call.user_id))


async def add_group(call: Call[NoQuery, NewGroup]) -> Answer[Group]:
    """Make a group, with accounts if they are given."""
    new = check_group(name=call.body.name, color=call.body.color, tags=call.body.tags)
    account_ids = list(dict.fromkeys(call.body.account_ids))
    async with call.begin() as tx:
        group_id = await create_group(tx, new, account_ids=account_ids, user_id=call.user_id)
        group = await _find(tx, group_id, user_id=call.user_id)
        await _tell(call, tx, "group.created", group_id, after=group)
        answered = await call.keep(tx, created(group, path="/v1/groups"))
    await call.deps.cache.invalidate_user(call.user_id)
    return answered


async def edit_group(call: Call[NoQuery, GroupChange]) -> Answer[Group]:
    """Change a group's name, color or tags."""
    group_id = call.id("group")
    async with call.begin() as tx:
        before = await _lock(call, tx, group_id)
        await change_group(tx, before, call.body, user_id=call.user_id)
        group = await _find(tx, group_id, user_id=call.user_id)
        await _tell(call, tx, "group.updated", group_id, before=before, after=group)
    await call.deps.cache.invalidate_user(call.user_id)
    return answer(group)


async def delete_group(call: Call[RemovalQuery, None]) -> Answer[None]:
    """Delete a group. Its accounts stay, and what was planned for them goes on."""
    group_id, user_id = call.id("group"), call.user_id
    async with call.begin() as tx:
        await lock_dependents(tx, group_id, user_id=user_id)
        before = await _lock(call, tx, group_id)
        dependents = await lock_dependents(tx, group_id, user_id=user_id)
        require_unused([] if call.query.cancel else schedule_faults(dependents))
        paused = await break_schedules(tx, dependents, Lost.GROUP, user_id=user_id)
        await store.delete(tx, group_id, user_id=user_id)
        await _tell(call, tx, "group.deleted", group_id, before=before, after={"paused_schedules": paused})
    await call.deps.cache.invalidate_user(call.user_id)
    return no_content()


async def list_members(call: Call[PageQuery, None]) -> Answer[Page[Account]]:
    """One page of a group's accounts."""
    group_id = call.id("group")
    async with call.connect() as connection:
        await _find(connection, group_id, user_id=call.user_id)
        sql, args = accounts.list_query(call.user_id, group_id=group_id)
        page = await fetch_page(connection, sql, args, page=call.page, present=accounts.present)
    return answer_page(call.request, page)


async def edit_members(call: Call[NoQuery, MembersChange]) -> Answer[Group]:
    """Put many accounts into a group, and take many out of it."""
    group_id = call.id("group")
    async with call.begin() as tx:
        await _move(call, tx, group_id, call.body)
        answered = await call.keep(tx, answer(await _find(tx, group_id, user_id=call.user_id)))
    await call.deps.cache.invalidate_user(call.user_id)
    return answered


async def add_member(call: Call[NoQuery, None]) -> Answer[None]:
    """Put an account into a group."""
    return await _move_one(call, MembersChange(add=[call.id("account", name="account_id")]))


async def remove_member(call: Call[NoQuery, None]) -> Answer[None]:
    """Take an account out of a group."""
    return await _move_one(call, MembersChange(remove=[call.id("account", name="account_id")]))


async def _move_one(call: Call[NoQuery, None], change: MembersChange) -> Answer[None]:
    async with call.begin() as tx:
        await _move(call, tx, call.id("group"), change)
    await call.deps.cache.invalidate_user(call.user_id)
    return no_content()


async def _move(call: Call[Any, Any], tx: Connection, group_id: UUID, change: MembersChange) -> None:
    moved = await change_members(tx, group_id, change, user_id=call.user_id)
    if moved != Moved(added=0, removed=0):
        told = msgspec.to_builtins(moved)
        if len(change.add) + len(change.remove) == 1:
            told["account_id"] = str([*change.add, *change.remove][0])
        await _tell(call, tx, "group.members_changed", group_id, after=told)


async def _find(connection: Connection, group_id: UUID, *, user_id: UUID) -> Group:
    row = await store.find(connection, group_id, user_id=user_id)
    if row is None:
        raise not_found("group")
    return store.present(row)


async def _lock(call: Call[Any, Any], tx: Connection, group_id: UUID) -> Group:
    if not await store.lock(tx, group_id, user_id=call.user_id):
        raise not_found("group")
    group = await _find(tx, group_id, user_id=call.user_id)
    call.require_match(answer(group))
    return group


async def _tell(
    call: Call[Any, Any], tx: Connection, action: str, group_id: UUID, *, before: Any = None, after: Any = None
) -> None:
    await call.audit(tx, action, ("group", group_id), before=before, after=after)
    event = Event(user_id=call.user_id, type="group.changed", subject=group_id, payload={"action": action})
    await record_events(tx, [event])


ROUTES = [
    get("/v1/groups", list_groups),
    post("/v1/groups", add_group, statuses=(201,), problems=("name_taken",)),
    get("/v1/groups/{id}", get_group),
    patch("/v1/groups/{id}", edit_group, problems=("name_taken",)),
    delete("/v1/groups/{id}", delete_group, problems=("in_use",)),
    get("/v1/groups/{id}/accounts", list_members),
    post("/v1/groups/{id}/accounts", edit_members, cost=10),
    put("/v1/groups/{id}/accounts/{account_id}", add_member),
    delete("/v1/groups/{id}/accounts/{account_id}", remove_member),
]
