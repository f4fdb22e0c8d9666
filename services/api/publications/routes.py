"""`/v1/publications`: one post on one account at one time."""

from __future__ import annotations

from typing import Any

from services.api.call import Call
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
from services.api.publications import archive, store
from services.api.publications.cancel_publication import cancel_publication
from services.api.publications.contract import (
    Attempt,
    Publication,
    PublicationChange,
    PublicationsQuery,
    Resolve,
    Retry,
)
from services.api.publications.move_publication import move_publication
from services.api.publications.resolve_publication import Resolution, resolve_publication
from services.api.publications.retry_publication import retry_publication
from services.api.routing import get, patch, post
from shared.database import Connection
from shared.publications import PublicationState

_ATTEMPTS_MAX = 100


async def list_publications(call: Call[PublicationsQuery, None]) -> Answer[Page[Publication]]:
    """One page of the tenant's publications."""
    sql, args = _list_query(call)
    order = Order.of(call.query.sort)
    async with call.connect() as connection:
        page = await fetch_page(connection, sql, args, page=call.page, present=store.present, order=order)
    return answer_page(call.request, page)


async def get_publication(call: Call[NoQuery, None]) -> Answer[Publication]:
    """One publication."""
    async with call.connect() as connection:
        return answer(await _find(call, connection))


async def list_attempts(call: Call[NoQuery, None]) -> Answer[Page[Attempt]]:
    """The newest hundred attempts of a publication."""
    async with call.connect() as connection:
        publication = await _find(call, connection)
        rows = await store.attempts(connection, publication.id, user_id=call.user_id, limit=_ATTEMPTS_MAX + 1)
        attempts = [store.present_attempt(row) for row in rows]
        # They move with it, and that may be now.
        attempts = attempts or await archive.attempts(connection, publication.id, user_id=call.user_id)
    has_more = len(attempts) > _ATTEMPTS_MAX
    pagination = Pagination(limit=_ATTEMPTS_MAX, next_cursor=None, prev_cursor=None, has_more=has_more)
    return answer(Page(data=attempts[:_ATTEMPTS_MAX], pagination=pagination))


async def change(call: Call[NoQuery, PublicationChange]) -> Answer[Publication]:
    """Change when one publication is due, or how late it may be."""
    async with call.begin() as tx:
        before = await _find_changeable(call, tx)
        await move_publication(
            tx,
            before,
            call.body,
            user_id=call.user_id,
            require_match=call.require_match,
            rescue_after_s=call.deps.settings.rescue_after_s,
        )
        return await _done(call, tx, "publication.changed", before)


async def cancel(call: Call[NoQuery, None]) -> Answer[Publication]:
    """Cancel one publication."""
    async with call.begin() as tx:
        before = await _find_changeable(call, tx)
        await cancel_publication(tx, before.id, user_id=call.user_id)
        return await _done(call, tx, "publication.canceled", before)


async def retry(call: Call[NoQuery, Retry]) -> Answer[Publication]:
    """Try one publication again."""
    async with call.begin() as tx:
        before = await _find_changeable(call, tx)
        await retry_publication(
            tx,
            before.id,
            user_id=call.user_id,
            allow_duplicate=call.body.allow_duplicate,
            rescue_after_s=call.deps.settings.rescue_after_s,
        )
        return await _done(call, tx, "publication.retried", before, status=202)


async def resolve(call: Call[NoQuery, Resolve]) -> Answer[Publication]:
    """Say what became of one publication."""
    body = call.body
    resolution = Resolution(outcome=PublicationState(body.outcome), media_id=body.media_id, permalink=body.permalink)
    async with call.begin() as tx:
        before = await _find_changeable(call, tx)
        await resolve_publication(tx, before.id, resolution, user_id=call.user_id)
        return await _done(call, tx, "publication.resolved", before)


async def _done(
    call: Call[NoQuery, Any], tx: Connection, action: str, before: Publication, *, status: int = 200
) -> Answer[Publication]:
    after = await _find(call, tx)
    await call.audit(tx, action, ("publication", before.id), before=before, after=after)
    return await call.keep(tx, answer(after, status=status))


def _list_query(call: Call[PublicationsQuery, None]) -> tuple[str, list[Any]]:
    query = call.query
    if query.archived:
        archive.require_listable(query)
        return archive.list_query(
            call.user_id,
            account_id=query.account_id,
            post_id=query.post_id,
            distribution_id=query.distribution_id,
            allowed=call.caller.allowed,
        )
    return store.list_query(
        call.user_id,
        state=query.state,
        account_id=query.account_id,
        group_id=query.group_id,
        post_id=query.post_id,
        distribution_id=query.distribution_id,
        begin=query.begin,
        end=query.end,
        allowed=call.caller.allowed,
    )


async def _find_changeable(call: Call[NoQuery, Any], tx: Connection) -> Publication:
    publication = await _find(call, tx)
    if publication.archived:
        raise archive.refuse_change()
    return publication


async def _find(call: Call[NoQuery, Any], connection: Connection) -> Publication:
    publication_id = call.id("publication")
    row = await store.find(connection, publication_id, user_id=call.user_id)
    if row is None:
        row = await archive.find(connection, publication_id, user_id=call.user_id)
    allowed = call.caller.account_ids
    if row is None or (allowed is not None and row["account_id"] not in allowed):
        raise not_found("publication")
    return store.present(row)


_UNCLEAR = ("state_conflict", "outcome_unresolved")

ROUTES = [
    get("/v1/publications", list_publications, limited=True, problems=("timezone_required",)),
    get("/v1/publications/{id}", get_publication, limited=True),
    patch(
        "/v1/publications/{id}",
        change,
        limited=True,
        problems=(*_UNCLEAR, "version_mismatch", "timezone_required", "time_in_past"),
        fills_outbox=True,
    ),
    get("/v1/publications/{id}/attempts", list_attempts, limited=True),
    post("/v1/publications/{id}/cancel", cancel, limited=True, problems=_UNCLEAR),
    post(
        "/v1/publications/{id}/retry",
        retry,
        statuses=(202,),
        limited=True,
        problems=(*_UNCLEAR, "account_not_publishable", "duplicate_content"),
        fills_outbox=True,
    ),
    post("/v1/publications/{id}/resolve", resolve, limited=True, problems=("state_conflict",)),
]
