"""`/v1/publications`: one post on one account at one time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.api.call import Call
from services.api.http import (
    Answer,
    NoQuery,
    Page,
    Pagination,
    answer,
    answer_page,
    fetch_page,
    not_found,
)
from services.api.publications import store
from services.api.publications.cancel_publication import cancel_publication
from services.api.publications.contract import Attempt, Publication, PublicationsQuery, Resolve, Retry
from services.api.publications.resolve_publication import Resolution, resolve_publication
from services.api.publications.retry_publication import retry_publication
from services.api.routing import get, post
from shared.database import Connection
from shared.publications import PublicationState

_ATTEMPTS_MAX = 100


async def list_publications(call: Call[PublicationsQuery, None]) -> Answer[Page[Publication]]:
    """One page of the tenant's publications."""
    query = call.query
    sql, args = store.list_query(
        call.user_id,
        state=query.state,
        account_id=query.account_id,
        post_id=query.post_id,
        distribution_id=query.distribution_id,
        begin=query.begin,
        end=query.end,
    )
    async with call.connect() as connection:
        page = await fetch_page(connection, sql, args, page=call.page, present=store.present)
    return answer_page(call.request, page)


async def get_publication(call: Call[NoQuery, None]) -> Answer[Publication]:
    """One publication."""
    async with call.connect() as connection:
        return answer(await _find(connection, call.id("publication"), user_id=call.user_id))


async def list_attempts(call: Call[NoQuery, None]) -> Answer[Page[Attempt]]:
    """The newest hundred attempts of a publication."""
    publication_id = call.id("publication")
    async with call.connect() as connection:
        await _find(connection, publication_id, user_id=call.user_id)
        rows = await store.attempts(connection, publication_id, user_id=call.user_id, limit=_ATTEMPTS_MAX + 1)
    pagination = Pagination(limit=_ATTEMPTS_MAX, next_cursor=None, prev_cursor=None, has_more=len(rows) > _ATTEMPTS_MAX)
    return answer(Page(data=[store.present_attempt(row) for row in rows[:_ATTEMPTS_MAX]], pagination=pagination))


async def cancel(call: Call[NoQuery, None]) -> Answer[Publication]:
    """Cancel one publication."""
    publication_id = call.id("publication")
    async with call.begin() as tx:
        await cancel_publication(tx, publication_id, user_id=call.user_id)
        return await _done(call, tx, "publication.canceled", publication_id)


async def retry(call: Call[NoQuery, Retry]) -> Answer[Publication]:
    """Try one publication again."""
    publication_id = call.id("publication")
    async with call.begin() as tx:
        await retry_publication(
            tx,
            publication_id,
            user_id=call.user_id,
            allow_duplicate=call.body.allow_duplicate,
            rescue_after_s=call.deps.settings.rescue_after_s,
        )
        return await _done(call, tx, "publication.retried", publication_id, status=202)


async def resolve(call: Call[NoQuery, Resolve]) -> Answer[Publication]:
    """Say what became of one publication."""
    publication_id, body = call.id("publication"), call.body
    resolution = Resolution(outcome=PublicationState(body.outcome), media_id=body.media_id, permalink=body.permalink)
    async with call.begin() as tx:
        await resolve_publication(tx, publication_id, resolution, user_id=call.user_id)
        return await _done(call, tx, "publication.resolved", publication_id)


async def _done(
    call: Call[NoQuery, Any], tx: Connection, action: str, publication_id: UUID, *, status: int = 200
) -> Answer[Publication]:
    publication = await _find(tx, publication_id, user_id=call.user_id)
    await call.audit(tx, action, ("publication", publication_id), after=publication)
    return await call.keep(tx, answer(publication, status=status))


async def _find(connection: Connection, publication_id: UUID, *, user_id: UUID) -> Publication:
    row = await store.find(connection, publication_id, user_id=user_id)
    if row is None:
        raise not_found("publication")
    return store.present(row)


ROUTES = [
    get("/v1/publications", list_publications),
    get("/v1/publications/{id}", get_publication),
    get("/v1/publications/{id}/attempts", list_attempts),
    post("/v1/publications/{id}/cancel", cancel),
    post("/v1/publications/{id}/retry", retry, statuses=(202,), fills_outbox=True),
    post("/v1/publications/{id}/resolve", resolve),
]
