"""What was judged of an account before, as the health service kept it."""

from __future__ import annotations

from services.api.call import Call
from services.api.health import history_store, store
from services.api.health.contract import HealthHistoryQuery, PastHealth
from services.api.http import Answer, Order, Page, answer_page, fetch_page, not_found
from services.api.routing import get

_NEWEST = Order.of("-computed_at")


async def list_history(call: Call[HealthHistoryQuery, None]) -> Answer[Page[PastHealth]]:
    """One page of an account's judgements of the last 180 days, the newest first."""
    account_id, query = call.id("account"), call.query
    call.caller.require_seen(account_id)
    sql, args = history_store.list_query(call.user_id, account_id=account_id, begin=query.begin, end=query.end)
    async with call.connect() as connection:
        if not await store.account_exists(connection, account_id, user_id=call.user_id):
            raise not_found("account")
        page = await fetch_page(connection, sql, args, page=call.page, present=history_store.present, order=_NEWEST)
    return answer_page(call.request, page)


ROUTES = [
    get("/v1/accounts/{id}/health/history", list_history, limited=True, problems=("timezone_required",)),
]
