"""`/v1/accounts/import`: many accounts at once, from a file or a list."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from aiohttp import hdrs, web

from services.api.accounts.contract import NewAccount
from services.api.accounts.upsert_accounts import plan_upsert, releasing
from services.api.call import Call, Stream
from services.api.http import Answer, answer
from services.api.imports.begin_import import begin_import
from services.api.imports.contract import Imported, ImportFile, ImportQuery
from services.api.imports.receive_rows import receive_rows
from services.api.operations import store
from services.api.operations.contract import RETRY_AFTER, Operation
from services.api.routing import post
from shared.accounts.imports import AccountRow, UpsertPlan, apply_import
from shared.accounts.imports import Imported as Counts
from shared.database import Connection

_ASYNC = "respond-async"


async def import_accounts(call: Call[ImportQuery, Stream]) -> Answer[Imported | Operation]:
    """Add and change many accounts at once: all, or none and every fault told.

    With the header `Prefer: respond-async` it is checked at once and answered 202; the operation that stands at
    `Location` tells how far it is, and what came of it. A dry run is always answered at once.
    """
    # A tenant's imports wait for each other in the database: the place is kept, lest they take every connection.
    async with call.deps.upload_places.take(call.user_id):
        received = await receive_rows(call.request)
        return await _import(await call.including(received.digest), received.rows)


async def _import(call: Call[ImportQuery, Stream], rows: Sequence[AccountRow]) -> Answer[Imported | Operation]:
    async with call.begin() as tx:
        plan = await plan_upsert(tx, rows, user_id=call.user_id, cipher=call.deps.cipher)
        if call.query.dry_run:
            return await call.keep(tx, answer(_outcome(plan, dry_run=True)))
        if _prefers_async(call.request):
            return await _begin(call, tx, rows)
        answered = await _apply(call, tx, plan)
    if plan.touched:
        await call.deps.cache.invalidate_user(call.user_id)
    return answered


async def _apply(call: Call[ImportQuery, Stream], tx: Connection, plan: UpsertPlan) -> Answer[Imported | Operation]:
    counts = await apply_import(tx, plan, user_id=call.user_id, release=releasing(call.deps.settings))
    await call.audit(tx, "accounts.imported", ("user", call.user_id), after=counts)
    outcome: Imported | Operation = _outcome(plan, dry_run=False)
    return await call.keep(tx, answer(outcome))


async def _begin(
    call: Call[ImportQuery, Stream], tx: Connection, rows: Sequence[AccountRow]
) -> Answer[Imported | Operation]:
    operation_id = await begin_import(tx, rows, user_id=call.user_id, cipher=call.deps.cipher)
    operation: Imported | Operation = await store.read(tx, operation_id, user_id=call.user_id)
    await call.audit(tx, "accounts.import_begun", ("operation", operation_id), after={"rows": len(rows)})
    headers = {
        hdrs.LOCATION: f"/v1/operations/{operation_id}",
        "Preference-Applied": _ASYNC,
        hdrs.RETRY_AFTER: RETRY_AFTER,
    }
    return await call.keep(tx, answer(operation, status=202, headers=headers))


def _outcome(plan: UpsertPlan, *, dry_run: bool) -> Imported:
    counts = msgspec.structs.asdict(Counts.of(plan))
    return Imported(**counts, dry_run=dry_run, accounts=msgspec.UNSET if dry_run else plan.ids)


def _prefers_async(request: web.Request) -> bool:
    wishes = ",".join(request.headers.getall("Prefer", [])).split(",")
    return any(wish.partition(";")[0].strip().lower() == _ASYNC for wish in wishes)


ROUTES = [
    post(
        "/v1/accounts/import",
        import_accounts,
        statuses=(200, 202),
        cost=50,
        fills_outbox=True,
        problems=("malformed_request",),
        reads=("Prefer",),
        consumes={"text/csv": str, "application/json": list[NewAccount], "multipart/form-data": ImportFile},
    ),
]
