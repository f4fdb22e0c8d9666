"""`/v1/accounts`: the Instagram accounts of a tenant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from aiohttp import web

from services.api.accounts import store
from services.api.accounts.check_row import AccountRow, RowFaultsError, check_row
from services.api.accounts.pause_account import pause_account
from services.api.accounts.read_file import read_csv, read_list
from services.api.accounts.receive_form import receive_form
from services.api.accounts.resume_account import resume_account
from services.api.accounts.upsert_accounts import UpsertPlan, apply_upsert, plan_upsert
from services.api.connections import begin, connect
from services.api.deps import DEPS, Deps
from services.api.http import (
    Caller,
    PageRequest,
    ProblemError,
    answer,
    answer_page,
    choice_of,
    created,
    fetch_page,
    flag_of,
    invalid,
    not_found,
    path_id,
    read_bytes,
    read_json,
    read_page,
    read_query,
)
from services.api.routing import get, post
from shared.accounts import AccountState
from shared.cache import CacheTTL
from shared.database import Connection

# Ten thousand rows with long tokens.
IMPORT_BYTES_MAX = 8 * 1024 * 1024


async def list_accounts(request: web.Request, caller: Caller) -> web.Response:
    """One page of the tenant's accounts, by state and tag."""
    deps = request.app[DEPS]
    query = read_query(request, "state", "tag", paged=True)
    state, tag = choice_of(query, "state", AccountState), query.get("tag")
    page = read_page(request, user_id=caller.user_id, secret=deps.settings.cursor_secret)
    return answer_page(request, await _page(deps, page, user_id=caller.user_id, state=state, tag=tag))


async def _page(deps: Deps, page: PageRequest, *, user_id: UUID, state: str | None, tag: str | None) -> dict[str, Any]:
    async def load() -> dict[str, Any]:
        sql, args = store.list_query(user_id, state=state, tag=tag)
        async with connect(deps.pool) as connection:
            return await fetch_page(connection, sql, args, page=page, present=dict)

    if page.cursor is not None:
        return await load()
    body: dict[str, Any] = await deps.cache.get_or_set(
        store.list_key(user_id, state=state, tag=tag, limit=page.limit), load, CacheTTL.MEDIUM
    )
    return body


async def get_account(request: web.Request, caller: Caller) -> web.Response:
    """One account; its token never leaves."""
    account_id = path_id(request, "account")
    async with connect(request.app[DEPS].pool) as connection:
        return answer(await _find(connection, account_id, user_id=caller.user_id))


async def add_account(request: web.Request, caller: Caller) -> web.Response:
    """Add one account."""
    deps = request.app[DEPS]
    row = _single(await read_json(request, dict[str, Any]))
    async with begin(deps.pool) as tx:
        plan = await plan_upsert(tx, [row], user_id=caller.user_id, cipher=deps.cipher)
        if not plan.added:
            detail = "This account is there already. Import it to change it."
            raise ProblemError("account_exists", detail, existing_id=plan.ids[0])
        await apply_upsert(tx, plan, user_id=caller.user_id, settings=deps.settings)
        account = await _find(tx, plan.ids[0], user_id=caller.user_id)
    await _invalidate(deps, plan.touched, user_id=caller.user_id)
    return created(account, path="/v1/accounts")


async def pause(request: web.Request, caller: Caller) -> web.Response:
    """Pause one account."""
    deps, account_id = request.app[DEPS], path_id(request, "account")
    async with begin(deps.pool) as tx:
        moved = await pause_account(tx, account_id, user_id=caller.user_id)
        account = await _find(tx, account_id, user_id=caller.user_id)
    await _invalidate(deps, [account_id] if moved else [], user_id=caller.user_id)
    return answer(account)


async def resume(request: web.Request, caller: Caller) -> web.Response:
    """Let one account publish again."""
    deps, account_id = request.app[DEPS], path_id(request, "account")
    async with begin(deps.pool) as tx:
        moved = await resume_account(
            tx, account_id, user_id=caller.user_id, rescue_after_s=deps.settings.rescue_after_s
        )
        account = await _find(tx, account_id, user_id=caller.user_id)
    await _invalidate(deps, [account_id] if moved else [], user_id=caller.user_id)
    return answer(account)


async def import_accounts(request: web.Request, caller: Caller) -> web.Response:
    """Add and change many accounts at once: all, or none and every fault told."""
    deps = request.app[DEPS]
    dry_run = flag_of(read_query(request, "dry_run"), "dry_run")
    async with deps.upload_places.take(caller.user_id):
        rows = await _rows(request)
    async with begin(deps.pool) as tx:
        plan = await plan_upsert(tx, rows, user_id=caller.user_id, cipher=deps.cipher)
        if not dry_run:
            await apply_upsert(tx, plan, user_id=caller.user_id, settings=deps.settings)
    if not dry_run:
        await _invalidate(deps, plan.touched, user_id=caller.user_id)
    return answer(_outcome(plan, dry_run=dry_run))


async def _find(connection: Connection, account_id: UUID, *, user_id: UUID) -> dict[str, Any]:
    row = await store.find(connection, account_id, user_id=user_id)
    if row is None:
        raise not_found("account")
    return dict(row)


async def _rows(request: web.Request) -> list[AccountRow]:
    read, content = await _content(request)
    return await asyncio.to_thread(read, content)


async def _content(request: web.Request) -> tuple[Callable[[bytes], list[AccountRow]], bytes]:
    if request.content_type == "application/json":
        return read_list, await read_bytes(request, limit=IMPORT_BYTES_MAX)
    if request.content_type == "multipart/form-data":
        return read_csv, await receive_form(request, limit=IMPORT_BYTES_MAX)
    if request.content_type == "text/csv":
        return read_csv, await read_bytes(request, limit=IMPORT_BYTES_MAX)
    detail = "Send text/csv, application/json (a list), or multipart/form-data with the field 'file'."
    raise ProblemError("unsupported_media_type", detail)


def _single(raw: dict[str, Any]) -> AccountRow:
    try:
        row = check_row(raw, line=None)
    except RowFaultsError as error:
        codes = {fault.code for fault in error.faults}
        code = "timezone_required" if codes == {"timezone_required"} else "validation_failed"
        raise ProblemError(code, "The account cannot be added as described.", errors=error.faults) from error
    if row.access_token is None:
        raise invalid("missing_field", "A new account needs an access token.", path="access_token")
    return row


def _outcome(plan: UpsertPlan, *, dry_run: bool) -> dict[str, Any]:
    counts = {"created": len(plan.added), "updated": len(plan.changed), "unchanged": plan.unchanged}
    return {**counts, "dry_run": dry_run} | ({} if dry_run else {"accounts": plan.ids})


async def _invalidate(deps: Deps, account_ids: Sequence[UUID], *, user_id: UUID) -> None:
    if len(account_ids) == 1:
        await deps.cache.invalidate_account(account_ids[0], user_id=user_id)
    elif account_ids:
        await deps.cache.invalidate_user(user_id)


ROUTES = [
    get("/v1/accounts", list_accounts, query=True),
    post("/v1/accounts", add_account),
    post("/v1/accounts/import", import_accounts, query=True),
    get("/v1/accounts/{id}", get_account),
    post("/v1/accounts/{id}/pause", pause),
    post("/v1/accounts/{id}/resume", resume),
]
