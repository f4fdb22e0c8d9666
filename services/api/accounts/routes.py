"""`/v1/accounts`: the Instagram accounts of a tenant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import web

from services.api.accounts import store
from services.api.accounts.check_row import AccountRow, RowFaultsError, check_row
from services.api.accounts.contract import Account, AccountsQuery, Imported, ImportQuery, NewAccount
from services.api.accounts.pause_account import pause_account
from services.api.accounts.read_file import read_csv, read_list
from services.api.accounts.receive_form import receive_form
from services.api.accounts.resume_account import resume_account
from services.api.accounts.upsert_accounts import UpsertPlan, apply_upsert, plan_upsert
from services.api.call import Call, Stream
from services.api.deps import Deps
from services.api.http import (
    Answer,
    NoQuery,
    Page,
    ProblemError,
    answer,
    answer_page,
    created,
    fetch_page,
    invalid,
    not_found,
    read_bytes,
)
from services.api.routing import get, post
from shared.cache import CacheTTL
from shared.database import Connection

# Ten thousand rows with long tokens.
IMPORT_BYTES_MAX = 8 * 1024 * 1024


async def list_accounts(call: Call[AccountsQuery, None]) -> Answer[Page[Account]]:
    """One page of the tenant's accounts, by state and tag."""
    deps, query, page = call.deps, call.query, call.page

    async def load() -> Any:
        sql, args = store.list_query(call.user_id, state=query.state, tag=query.tag)
        async with call.connect() as connection:
            return msgspec.to_builtins(await fetch_page(connection, sql, args, page=page, present=store.present))

    if page.cursor is not None or page.count:
        found = await load()
    else:
        key = store.list_key(call.user_id, state=query.state, tag=query.tag, limit=page.limit)
        found = await deps.cache.get_or_set(key, load, CacheTTL.MEDIUM)
    return answer_page(call.request, msgspec.convert(found, Page[Account]))


async def get_account(call: Call[NoQuery, None]) -> Answer[Account]:
    """One account; its token never leaves."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("account"), user_id=call.user_id))


async def add_account(call: Call[NoQuery, NewAccount]) -> Answer[Account]:
    """Add one account."""
    deps, row = call.deps, _single(call.body)
    async with call.begin() as tx:
        plan = await plan_upsert(tx, [row], user_id=call.user_id, cipher=deps.cipher)
        if not plan.added:
            detail = "This account is there already. Import it to change it."
            raise ProblemError("account_exists", detail, existing_id=plan.ids[0])
        await apply_upsert(tx, plan, user_id=call.user_id, settings=deps.settings)
        account = await _find(tx, plan.ids[0], user_id=call.user_id)
        await call.audit(tx, "account.created", ("account", account.id), after=account)
        made = await call.keep(tx, created(account, path="/v1/accounts"))
    await _invalidate(deps, plan.touched, user_id=call.user_id)
    return made


async def pause(call: Call[NoQuery, None]) -> Answer[Account]:
    """Pause one account."""
    account_id = call.id("account")
    async with call.begin() as tx:
        moved = await pause_account(tx, account_id, user_id=call.user_id)
        account = await _find(tx, account_id, user_id=call.user_id)
        if moved:
            await call.audit(tx, "account.paused", ("account", account_id), after=account)
        answered = await call.keep(tx, answer(account))
    await _invalidate(call.deps, [account_id] if moved else [], user_id=call.user_id)
    return answered


async def resume(call: Call[NoQuery, None]) -> Answer[Account]:
    """Let one account publish again."""
    deps, account_id = call.deps, call.id("account")
    async with call.begin() as tx:
        moved = await resume_account(tx, account_id, user_id=call.user_id, rescue_after_s=deps.settings.rescue_after_s)
        account = await _find(tx, account_id, user_id=call.user_id)
        if moved:
            await call.audit(tx, "account.resumed", ("account", account_id), after=account)
        answered = await call.keep(tx, answer(account))
    await _invalidate(deps, [account_id] if moved else [], user_id=call.user_id)
    return answered


async def import_accounts(call: Call[ImportQuery, Stream]) -> Answer[Imported]:
    """Add and change many accounts at once: all, or none and every fault told."""
    deps, dry_run = call.deps, call.query.dry_run
    async with deps.upload_places.take(call.user_id):
        read, content = await _content(call.request)
    call = await call.including(content)
    rows = await asyncio.to_thread(read, content)
    async with call.begin() as tx:
        plan = await plan_upsert(tx, rows, user_id=call.user_id, cipher=deps.cipher)
        outcome = _outcome(plan, dry_run=dry_run)
        if not dry_run:
            await apply_upsert(tx, plan, user_id=call.user_id, settings=deps.settings)
            counts = {"created": outcome.created, "updated": outcome.updated, "unchanged": outcome.unchanged}
            await call.audit(tx, "accounts.imported", ("user", call.user_id), after=counts)
        answered = await call.keep(tx, answer(outcome))
    if not dry_run:
        await _invalidate(deps, plan.touched, user_id=call.user_id)
    return answered


async def _find(connection: Connection, account_id: UUID, *, user_id: UUID) -> Account:
    row = await store.find(connection, account_id, user_id=user_id)
    if row is None:
        raise not_found("account")
    return store.present(row)


async def _content(request: web.Request) -> tuple[Callable[[bytes], list[AccountRow]], bytes]:
    if request.content_type == "application/json":
        return read_list, await read_bytes(request, limit=IMPORT_BYTES_MAX)
    if request.content_type == "multipart/form-data":
        return read_csv, await receive_form(request, limit=IMPORT_BYTES_MAX)
    if request.content_type == "text/csv":
        return read_csv, await read_bytes(request, limit=IMPORT_BYTES_MAX)
    detail = "Send text/csv, application/json (a list), or multipart/form-data with the field 'file'."
    raise ProblemError("unsupported_media_type", detail)


def _single(body: NewAccount) -> AccountRow:
    try:
        row = check_row(msgspec.structs.asdict(body), line=None)
    except RowFaultsError as error:
        codes = {fault.code for fault in error.faults}
        code = "timezone_required" if codes == {"timezone_required"} else "validation_failed"
        raise ProblemError(code, "The account cannot be added as described.", errors=error.faults) from error
    if row.access_token is None:
        raise invalid("missing_field", "A new account needs an access token.", path="access_token")
    return row


def _outcome(plan: UpsertPlan, *, dry_run: bool) -> Imported:
    return Imported(
        created=len(plan.added),
        updated=len(plan.changed),
        unchanged=plan.unchanged,
        dry_run=dry_run,
        accounts=msgspec.UNSET if dry_run else plan.ids,
    )


async def _invalidate(deps: Deps, account_ids: Sequence[UUID], *, user_id: UUID) -> None:
    if len(account_ids) == 1:
        await deps.cache.invalidate_account(account_ids[0], user_id=user_id)
    elif account_ids:
        await deps.cache.invalidate_user(user_id)


ROUTES = [
    get("/v1/accounts", list_accounts),
    post("/v1/accounts", add_account, statuses=(201,), problems=("account_exists", "timezone_required")),
    post("/v1/accounts/import", import_accounts, cost=50, problems=("unsupported_media_type",)),
    get("/v1/accounts/{id}", get_account),
    post("/v1/accounts/{id}/pause", pause),
    post("/v1/accounts/{id}/resume", resume, problems=("account_not_resumable",)),
]
