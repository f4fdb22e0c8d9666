"""Lists in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from aiohttp import web

from services.api.http.answers import answer
from shared.database import Connection, Row
from shared.pagination import (
    Cursor,
    build_cursor_query,
    create_cursor_paginated_response,
    cursor_scope,
    link_header,
    parse_cursor_pagination_params,
)
from shared.performance import route_template

_OWN_PARAMETERS = frozenset({"limit", "cursor"})


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """Which page a client wants."""

    limit: int
    cursor: Cursor | None  # None: the first
    scope: str  # what its cursors are bound to
    secret: bytes


def read_page(request: web.Request, *, user_id: UUID, secret: bytes) -> PageRequest:
    """The page a request asks for; its cursors are bound to user, route and filters."""
    filters = {name: value for name, value in request.query.items() if name not in _OWN_PARAMETERS}
    scope = cursor_scope(user_id=user_id, route=route_template(request), filters=filters)
    params = parse_cursor_pagination_params(request.query, scope=scope, secret=secret)
    return PageRequest(limit=params.limit, cursor=params.cursor, scope=scope, secret=secret)


async def fetch_page(
    connection: Connection, sql: str, args: Sequence[Any], *, page: PageRequest, present: Callable[[Row], Any]
) -> dict[str, Any]:
    """One page of the rows that `sql` selects, newest first."""
    query = build_cursor_query(sql, page.cursor, page.limit)
    rows = cast("list[Mapping[str, Any]]", await connection.fetch(query.sql, *args, *query.params))
    return create_cursor_paginated_response(
        rows, page.limit, cursor=page.cursor, scope=page.scope, secret=page.secret, present=present
    )


def answer_page(request: web.Request, body: Mapping[str, Any]) -> web.Response:
    """The answer, with its `Link` header."""
    link = link_header(request.rel_url, body["pagination"])
    return answer(body, headers={"Link": link} if link else None)
