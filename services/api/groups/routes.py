"""`/v1/groups`: named sets of accounts."""

from __future__ import annotations

from uuid import UUID

from services.api.call import Call
from services.api.groups import store
from services.api.groups.contract import Group, NewGroup
from services.api.groups.create_group import check_group, create_group
from services.api.http import (
    Answer,
    NoQuery,
    Page,
    PageQuery,
    answer,
    answer_page,
    created,
    fetch_page,
    no_content,
    not_found,
)
from services.api.routing import delete, get, post, put
from shared.database import Connection


async def list_groups(call: Call[PageQuery, None]) -> Answer[Page[Group]]:
    """One page of the tenant's groups."""
    async with call.connect() as connection:
        page = await fetch_page(connection, store.LIST, [call.user_id], page=call.page, present=store.present)
    return answer_page(call.request, page)


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
        await call.audit(tx, "group.created", ("group", group_id), after=group)
        return await call.keep(tx, created(group, path="/v1/groups"))


async def add_member(call: Call[NoQuery, None]) -> Answer[None]:
    """Put an account into a group."""
    group_id, account_id = call.id("group"), call.id("account", name="account_id")
    async with call.begin() as tx:
        await _require(tx, group_id, account_id, user_id=call.user_id)
        await store.add_members(tx, group_id, [account_id], user_id=call.user_id)
    return no_content()


async def remove_member(call: Call[NoQuery, None]) -> Answer[None]:
    """Take an account out of a group."""
    group_id, account_id = call.id("group"), call.id("account", name="account_id")
    async with call.begin() as tx:
        await _require(tx, group_id, account_id, user_id=call.user_id)
        await store.remove_member(tx, group_id, account_id, user_id=call.user_id)
    return no_content()


async def _find(connection: Connection, group_id: UUID, *, user_id: UUID) -> Group:
    row = await store.find(connection, group_id, user_id=user_id)
    if row is None:
        raise not_found("group")
    return store.present(row)


async def _require(tx: Connection, group_id: UUID, account_id: UUID, *, user_id: UUID) -> None:
    known = await store.known(tx, group_id, account_id, user_id=user_id)
    for what in ("group", "account"):
        if known is None or not known[what]:
            raise not_found(what)


ROUTES = [
    get("/v1/groups", list_groups),
    post("/v1/groups", add_group, statuses=(201,), problems=("name_taken",)),
    get("/v1/groups/{id}", get_group),
    put("/v1/groups/{id}/accounts/{account_id}", add_member),
    delete("/v1/groups/{id}/accounts/{account_id}", remove_member),
]
