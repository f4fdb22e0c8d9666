"""`/v1/accounts`: the Instagram accounts of a tenant."""

from __future__ import annotations

import msgspec

from services.api.accounts import store
from services.api.accounts.actions import pause, resume, verify
from services.api.accounts.change_account import apply_change, check_change
from services.api.accounts.check_row import checked_account
from services.api.accounts.contract import (
    Account,
    AccountChange,
    AccountsQuery,
    NewAccount,
)
from services.api.accounts.details import get_quota, list_account_publications
from services.api.accounts.find_account import find_account
from services.api.accounts.remove_account import remove_account
from services.api.accounts.upsert_accounts import apply_upsert, plan_upsert
from services.api.cached_pages import answer_cached_page
from services.api.call import Call
from services.api.http import (
    Answer,
    NoQuery,
    Order,
    Page,
    ProblemError,
    RemovalQuery,
    answer,
    created,
    fetch_page,
    invalid,
    not_found,
)
from services.api.publications.contract import Removed
from services.api.routing import delete, get, patch, post
from services.api.schedules.dependents import lock_dependents
from shared.accounts.imports import lock_known
from shared.cache import CacheNamespace, CacheTTL


async def list_accounts(call: Call[AccountsQuery, None]) -> Answer[Page[Account]]:
    """One page of the tenant's accounts."""
    query = call.query

    async def load() -> Page[Account]:
        sql, args = store.list_query(
            call.user_id,
            allowed=call.caller.allowed,
            state=query.state,
            tag=query.tag,
            username=query.username,
            group_id=query.group_id,
            proxy_id=query.proxy_id,
            protocol_id=query.protocol_id,
        )
        async with call.connect() as connection:
            order = Order.of(query.sort)
            return await fetch_page(connection, sql, args, page=call.page, present=store.present, order=order)

    return await answer_cached_page(call, load, namespace=CacheNamespace.ACCOUNTS_LIST, ttl=CacheTTL.MEDIUM)


async def get_account(call: Call[NoQuery, None]) -> Answer[Account]:
    """One account; its token never leaves."""
    account_id = call.id("account")
    call.caller.require_seen(account_id)

    async def load() -> str | None:
        async with call.connect() as connection:
            row = await store.find(connection, account_id, user_id=call.user_id)
        return None if row is None else msgspec.json.encode(store.present(row)).decode()

    content = await call.deps.cache.get_or_set(store.account_key(call.user_id, account_id), load, CacheTTL.MEDIUM)
    if content is None:
        raise not_found("account")
    return Answer(content=content.encode())


async def add_account(call: Call[NoQuery, NewAccount]) -> Answer[Account]:
    """Add one account, or bring one back that was removed."""
    deps = call.deps
    row = checked_account(msgspec.structs.asdict(call.body))
    if row.access_token is None:
        raise invalid("missing_field", "A new account needs an access token.", path="access_token")
    async with call.begin() as tx:
        plan = await plan_upsert(tx, [row], user_id=call.user_id, cipher=deps.cipher)
        if not plan.added:
            detail = "This account is there already. PATCH it to change it."
            raise ProblemError("account_exists", detail, existing_id=plan.ids[0])
        await apply_upsert(tx, plan, user_id=call.user_id, settings=deps.settings)
        account = await find_account(tx, plan.ids[0], user_id=call.user_id)
        await call.audit(tx, "account.created", ("account", account.id), after=account)
        made = await call.keep(tx, created(account, path="/v1/accounts"))
    await deps.cache.invalidate_account(account.id, user_id=call.user_id)
    return made


async def change_account(call: Call[NoQuery, AccountChange]) -> Answer[Account]:
    """Change what is given, and leave the rest."""
    deps, user_id, account_id = call.deps, call.user_id, call.id("account")
    call.caller.require_seen(account_id)
    async with call.begin() as tx:
        known = await find_account(tx, account_id, user_id=user_id)
        await lock_known(tx, [known.instagram_user_id], user_id=user_id)
        before = await find_account(tx, account_id, user_id=user_id)
        call.require_match(answer(before))
        plan = await plan_upsert(tx, [check_change(call.body, before)], user_id=user_id, cipher=deps.cipher)
        await apply_change(tx, plan, call.body, user_id=user_id, settings=deps.settings)
        after = await find_account(tx, account_id, user_id=user_id)
        if after != before:
            await call.audit(tx, "account.changed", ("account", account_id), before=before, after=after)
    await deps.cache.invalidate_account(account_id, user_id=user_id)
    return answer(after)


async def delete_account(call: Call[RemovalQuery, None]) -> Answer[Removed]:
    """Remove an account; what was published stays on record, and the answer says what could not be taken back."""
    user_id, account_id = call.user_id, call.id("account")
    call.caller.require_seen(account_id)
    async with call.begin() as tx:
        await lock_dependents(tx, account_id, user_id=user_id)
        if not await store.lock_whole(tx, account_id, user_id=user_id):
            raise not_found("account")
        before = await find_account(tx, account_id, user_id=user_id)
        call.require_match(answer(before))
        removed = await remove_account(tx, account_id, user_id=user_id, cancel=call.query.cancel)
        await call.audit(tx, "account.removed", ("account", account_id), before=before, after=removed)
    await call.deps.cache.invalidate_account(account_id, user_id=user_id)
    return answer(removed)


ROUTES = [
    get("/v1/accounts", list_accounts, limited=True),
    post("/v1/accounts", add_account, statuses=(201,), problems=("account_exists", "timezone_required")),
    get("/v1/accounts/{id}", get_account, limited=True),
    patch("/v1/accounts/{id}", change_account, limited=True, problems=("timezone_required",)),
    delete("/v1/accounts/{id}", delete_account, statuses=(200,), limited=True, problems=("in_use",)),
    post("/v1/accounts/{id}/pause", pause, limited=True, problems=("state_conflict",)),
    post("/v1/accounts/{id}/resume", resume, limited=True, problems=("account_not_resumable",)),
    post("/v1/accounts/{id}/verify", verify, limited=True, cost=5, problems=("platform_error", "state_conflict")),
    get("/v1/accounts/{id}/quota", get_quota, limited=True),
    get("/v1/accounts/{id}/publications", list_account_publications, limited=True),
]
