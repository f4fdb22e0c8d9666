"""`/v1/publications`: one post on one account at one time."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from aiohttp import web

from services.api.connections import begin, connect
from services.api.deps import DEPS
from services.api.http import (
    Body,
    Caller,
    answer,
    answer_page,
    choice_of,
    fetch_page,
    not_found,
    path_id,
    read_json,
    read_optional_json,
    read_page,
    read_query,
    time_of,
    uuid_of,
)
from services.api.publications import store
from services.api.publications.cancel_publication import cancel_publication
from services.api.publications.resolve_publication import Resolution, resolve_publication
from services.api.publications.retry_publication import retry_publication
from services.api.routing import get, post
from shared.database import Connection
from shared.publications import PublicationState

_ATTEMPTS_MAX = 100


class Retry(Body, frozen=True, kw_only=True):
    """How to retry; a body is not needed."""

    allow_duplicate: bool = False


class Resolve(Body, frozen=True, kw_only=True):
    """What became of it, and where it is."""

    outcome: Literal["published", "failed"]
    media_id: str | None = None
    permalink: str | None = None


async def list_publications(request: web.Request, caller: Caller) -> web.Response:
    """One page of the tenant's publications."""
    deps = request.app[DEPS]
    query = read_query(request, "state", "account_id", "post_id", "distribution_id", "from", "to", paged=True)
    page = read_page(request, user_id=caller.user_id, secret=deps.settings.cursor_secret)
    sql, args = store.list_query(
        caller.user_id,
        state=choice_of(query, "state", PublicationState),
        account_id=uuid_of(query, "account_id"),
        post_id=uuid_of(query, "post_id"),
        distribution_id=uuid_of(query, "distribution_id"),
        begin=time_of(query, "from"),
        end=time_of(query, "to"),
    )
    async with connect(deps.pool) as connection:
        body = await fetch_page(connection, sql, args, page=page, present=store.present)
    return answer_page(request, body)


async def get_publication(request: web.Request, caller: Caller) -> web.Response:
    """One publication."""
    publication_id = path_id(request, "publication")
    async with connect(request.app[DEPS].pool) as connection:
        return answer(await _find(connection, publication_id, user_id=caller.user_id))


async def list_attempts(request: web.Request, caller: Caller) -> web.Response:
    """The newest hundred attempts of a publication."""
    publication_id = path_id(request, "publication")
    async with connect(request.app[DEPS].pool) as connection:
        await _find(connection, publication_id, user_id=caller.user_id)
        rows = await store.attempts(connection, publication_id, user_id=caller.user_id, limit=_ATTEMPTS_MAX + 1)
    pagination = {
        "limit": _ATTEMPTS_MAX,
        "next_cursor": None,
        "prev_cursor": None,
        "has_more": len(rows) > _ATTEMPTS_MAX,
    }
    return answer({"data": [store.present(row) for row in rows[:_ATTEMPTS_MAX]], "pagination": pagination})


async def cancel(request: web.Request, caller: Caller) -> web.Response:
    """Cancel one publication."""
    publication_id = path_id(request, "publication")
    async with begin(request.app[DEPS].pool) as tx:
        await cancel_publication(tx, publication_id, user_id=caller.user_id)
        return answer(await _find(tx, publication_id, user_id=caller.user_id))


async def retry(request: web.Request, caller: Caller) -> web.Response:
    """Try one publication again."""
    deps, publication_id = request.app[DEPS], path_id(request, "publication")
    body = await read_optional_json(request, Retry)
    async with begin(deps.pool) as tx:
        await retry_publication(
            tx,
            publication_id,
            user_id=caller.user_id,
            allow_duplicate=body.allow_duplicate,
            rescue_after_s=deps.settings.rescue_after_s,
        )
        return answer(await _find(tx, publication_id, user_id=caller.user_id), status=202)


async def resolve(request: web.Request, caller: Caller) -> web.Response:
    """Say what became of one publication."""
    publication_id = path_id(request, "publication")
    body = await read_json(request, Resolve)
    resolution = Resolution(outcome=PublicationState(body.outcome), media_id=body.media_id, permalink=body.permalink)
    async with begin(request.app[DEPS].pool) as tx:
        await resolve_publication(tx, publication_id, resolution, user_id=caller.user_id)
        return answer(await _find(tx, publication_id, user_id=caller.user_id))


async def _find(connection: Connection, publication_id: UUID, *, user_id: UUID) -> dict[str, Any]:
    row = await store.find(connection, publication_id, user_id=user_id)
    if row is None:
        raise not_found("publication")
    return store.present(row)


ROUTES = [
    get("/v1/publications", list_publications, query=True),
    get("/v1/publications/{id}", get_publication),
    get("/v1/publications/{id}/attempts", list_attempts),
    post("/v1/publications/{id}/cancel", cancel),
    post("/v1/publications/{id}/retry", retry),
    post("/v1/publications/{id}/resolve", resolve),
]
