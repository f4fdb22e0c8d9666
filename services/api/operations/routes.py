"""`/v1/operations`: long work, and what came of it."""

from __future__ import annotations

from aiohttp import hdrs

from services.api.call import Call
from services.api.http import Answer, NoQuery, Page, answer, answer_page, fetch_page, not_found
from services.api.operations import store
from services.api.operations.contract import RETRY_AFTER, Operation, OperationsQuery
from services.api.routing import get


async def list_operations(call: Call[OperationsQuery, None]) -> Answer[Page[Operation]]:
    """One page of the tenant's operations of the last 30 days."""
    sql, args = store.list_query(call.user_id, state=call.query.state, type=call.query.type)
    async with call.connect() as connection:
        page = await fetch_page(connection, sql, args, page=call.page, present=store.present)
    return answer_page(call.request, page)


async def get_operation(call: Call[NoQuery, None]) -> Answer[Operation]:
    """One operation; while it runs, `Retry-After` says when to ask again."""
    async with call.connect() as connection:
        row = await store.find(connection, call.id("operation"), user_id=call.user_id)
    if row is None:
        raise not_found("operation")
    operation = store.present(row)
    return answer(operation, headers=None if operation.is_over else {hdrs.RETRY_AFTER: RETRY_AFTER})


ROUTES = [
    get("/v1/operations", list_operations),
    get("/v1/operations/{id}", get_operation),
]
