"""Numbers of accounts and of what they published, over time."""

from __future__ import annotations

from services.api.analytics import store
from services.api.analytics.contract import AnalyticsQuery, AnalyticsSnapshot
from services.api.call import Call
from services.api.health.store import account_exists
from services.api.http import (
    Answer,
    NoQuery,
    Order,
    Page,
    Pagination,
    answer,
    answer_page,
    fetch_page,
    not_found,
)
from services.api.publications import archive
from services.api.publications import store as publications
from services.api.routing import get

_NEWEST = Order.of("-captured_at")
# More than the ages at which a publication's numbers are taken.
_OF_PUBLICATION_MOST = 100


async def list_account_analytics(call: Call[AnalyticsQuery, None]) -> Answer[Page[AnalyticsSnapshot]]:
    """One page of an account's snapshots, and of its publications', the newest first."""
    account_id, query = call.id("account"), call.query
    call.caller.require_seen(account_id)
    sql, args = store.list_query(
        call.user_id,
        account_id=account_id,
        source=query.source,
        publication_id=query.publication_id,
        begin=query.begin,
        end=query.end,
    )
    async with call.connect() as connection:
        if not await account_exists(connection, account_id, user_id=call.user_id):
            raise not_found("account")
        page = await fetch_page(connection, sql, args, page=call.page, present=store.present, order=_NEWEST)
    return answer_page(call.request, page)


async def list_publication_analytics(call: Call[NoQuery, None]) -> Answer[Page[AnalyticsSnapshot]]:
    """All snapshots of one publication, the newest first."""
    publication_id, user_id = call.id("publication"), call.user_id
    async with call.connect() as connection:
        found = await publications.find(connection, publication_id, user_id=user_id)
        found = found or await archive.find(connection, publication_id, user_id=user_id)
        allowed = call.caller.account_ids
        if found is None or (allowed is not None and found["account_id"] not in allowed):
            raise not_found("publication")
        most = _OF_PUBLICATION_MOST
        rows = await store.of_publication(connection, publication_id, user_id=user_id, limit=most)
    pagination = Pagination(limit=most, next_cursor=None, prev_cursor=None, has_more=False)
    return answer(Page(data=[store.present(row) for row in rows], pagination=pagination))


ROUTES = [
    get("/v1/accounts/{id}/analytics", list_account_analytics, limited=True, problems=("timezone_required",)),
    get("/v1/publications/{id}/analytics", list_publication_analytics, limited=True),
]
