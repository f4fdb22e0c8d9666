"""`/v1/proxies`: the ways out that some accounts must take."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.api.cached_pages import answer_cached_page
from services.api.call import Call
from services.api.http import (
    Answer,
    NoQuery,
    Order,
    Page,
    ProblemError,
    answer,
    created,
    fetch_page,
    no_content,
    not_found,
)
from services.api.proxies import store
from services.api.proxies.change_proxy import change_proxy
from services.api.proxies.contract import NewProxy, ProxiesQuery, Proxy, ProxyChange, ProxyTest
from services.api.proxies.create_proxy import create_proxy
from services.api.proxies.remove_proxy import remove_proxy
from services.api.proxies.try_proxy import find_egress, present_finding, release_accounts, try_proxy
from services.api.routing import delete, get, patch, post
from shared.accounts import write_egress
from shared.cache import CacheNamespace, CacheTTL
from shared.database import Connection
from shared.outbox import Event, record_events


async def list_proxies(call: Call[ProxiesQuery, None]) -> Answer[Page[Proxy]]:
    """One page of the tenant's proxies, by status."""

    async def load() -> Page[Proxy]:
        sql, args = store.list_query(call.user_id, status=call.query.status)
        order = Order.of(call.query.sort)
        async with call.connect() as connection:
            return await fetch_page(connection, sql, args, page=call.page, present=store.present, order=order)

    return await answer_cached_page(call, load, namespace=CacheNamespace.PROXY, ttl=CacheTTL.VERY_SHORT)


async def get_proxy(call: Call[NoQuery, None]) -> Answer[Proxy]:
    """One proxy; its credentials never leave."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("proxy"), user_id=call.user_id))


async def add_proxy(call: Call[NoQuery, NewProxy]) -> Answer[Proxy]:
    """Make a proxy."""
    deps, graph_url = call.deps, call.deps.settings.instagram_graph_url
    async with call.begin() as tx:
        proxy_id = await create_proxy(tx, call.body, user_id=call.user_id, cipher=deps.cipher, graph_url=graph_url)
        proxy = await _find(tx, proxy_id, user_id=call.user_id)
        await _tell(call, tx, "proxy.created", proxy_id, after=proxy)
        answered = await call.keep(tx, created(proxy, path="/v1/proxies"))
    await deps.cache.invalidate_user(call.user_id)
    return answered


async def edit_proxy(call: Call[NoQuery, ProxyChange]) -> Answer[Proxy]:
    """Change a proxy. One that leads elsewhere is `unknown` until it was looked at again, within seconds."""
    deps, proxy_id, graph_url = call.deps, call.id("proxy"), call.deps.settings.instagram_graph_url
    async with call.begin() as tx:
        before = await _lock(call, tx, proxy_id)
        await change_proxy(tx, before, call.body, user_id=call.user_id, cipher=deps.cipher, graph_url=graph_url)
        proxy = await _find(tx, proxy_id, user_id=call.user_id)
        await _tell(call, tx, "proxy.updated", proxy_id, before=before, after=proxy)
    await deps.cache.invalidate_user(call.user_id)
    return answer(proxy)


async def delete_proxy(call: Call[NoQuery, None]) -> Answer[None]:
    """Delete a proxy that no account uses."""
    proxy_id = call.id("proxy")
    async with call.begin() as tx:
        before = await _lock(call, tx, proxy_id)
        await remove_proxy(tx, proxy_id, user_id=call.user_id)
        await _tell(call, tx, "proxy.deleted", proxy_id, before=before)
    await call.deps.cache.invalidate_user(call.user_id)
    return no_content()


async def run_test(call: Call[NoQuery, None]) -> Answer[ProxyTest]:
    """Try a proxy now: a way to the platform is opened through it, and nothing said."""
    deps, proxy_id = call.deps, call.id("proxy")
    row = await find_egress(deps.pool, proxy_id, user_id=call.user_id)
    await call.reserve()
    finding = await try_proxy(row, deps.cipher, graph_url=deps.settings.instagram_graph_url)
    found = present_finding(finding)
    async with call.begin() as tx:
        if await write_egress(tx, row, finding) is None:
            raise ProblemError("state_conflict", "The proxy was changed while it was tried. Test it again.")
        await call.audit(tx, "proxy.tested", ("proxy", proxy_id), after=found)
        answered = await call.keep(tx, answer(found))
    await deps.cache.invalidate_user(call.user_id)
    if finding.problem is None:
        rescue_after_s = deps.settings.rescue_after_s
        await release_accounts(deps.pool, proxy_id, user_id=call.user_id, rescue_after_s=rescue_after_s)
    return answered


async def _find(connection: Connection, proxy_id: UUID, *, user_id: UUID) -> Proxy:
    row = await store.find(connection, proxy_id, user_id=user_id)
    if row is None:
        raise not_found("proxy")
    return store.present(row)


async def _lock(call: Call[Any, Any], tx: Connection, proxy_id: UUID) -> Proxy:
    row = await store.lock(tx, proxy_id, user_id=call.user_id)
    if row is None:
        raise not_found("proxy")
    proxy = store.present(row)
    call.require_match(answer(proxy))
    return proxy


async def _tell(
    call: Call[Any, Any], tx: Connection, action: str, proxy_id: UUID, *, before: Any = None, after: Any = None
) -> None:
    await call.audit(tx, action, ("proxy", proxy_id), before=before, after=after)
    event = Event(user_id=call.user_id, type="proxy.changed", subject=proxy_id, payload={"action": action})
    await record_events(tx, [event])


ROUTES = [
    get("/v1/proxies", list_proxies),
    post("/v1/proxies", add_proxy, statuses=(201,), problems=("name_taken",)),
    get("/v1/proxies/{id}", get_proxy),
    patch("/v1/proxies/{id}", edit_proxy, problems=("name_taken",)),
    delete("/v1/proxies/{id}", delete_proxy, problems=("in_use",)),
    post("/v1/proxies/{id}/test", run_test, cost=10, problems=("state_conflict",)),
]
