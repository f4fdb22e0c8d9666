"""Lists in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

import msgspec
from aiohttp import hdrs, web

from services.api.http.answers import Answer, answer
from shared.database import Connection, Row
from shared.pagination import (
    Cursor,
    SortColumn,
    SortDirection,
    build_count_query,
    build_cursor_query,
    create_cursor_paginated_response,
    cursor_scope,
    link_header,
    parse_cursor_pagination_params,
)
from shared.performance import route_template

T = TypeVar("T")

#: A list is counted so far: a figure beyond it helps nobody, and would read the whole table.
COUNT_MAX = 100_000
_OWN_PARAMETERS = frozenset({"limit", "cursor", "count"})


class CreatedSort(StrEnum):
    """In which order a list is told that has no other: by when its rows were made."""

    NEWEST = "-created_at"
    OLDEST = "created_at"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a list is sorted by, with `id` for what is the same."""

    column: SortColumn
    direction: SortDirection

    @classmethod
    def of(cls, sort: str) -> Order:
        """The order that a parameter says: `created_at`, or `-created_at` for the newest first."""
        descending = sort.startswith("-")
        direction = SortDirection.DESC if descending else SortDirection.ASC
        return cls(column=SortColumn(sort.removeprefix("-")), direction=direction)


NEWEST_FIRST = Order(column=SortColumn.CREATED_AT, direction=SortDirection.DESC)


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """Which page a client wants."""

    limit: int
    cursor: Cursor | None  # None: the first
    scope: str  # what its cursors are bound to
    secret: bytes
    count: bool = False


class Pagination(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a page lies in its list."""

    limit: int
    next_cursor: str | None
    prev_cursor: str | None
    has_more: bool
    total: int | msgspec.UnsetType = msgspec.UNSET  # of the whole list, if it was asked for
    total_is_exact: bool | msgspec.UnsetType = msgspec.UNSET  # false: there are more; counting ended there


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list."""

    data: list[T]
    pagination: Pagination


def read_page(request: web.Request, *, user_id: UUID, secret: bytes, count: bool = False) -> PageRequest:
    """The page a request asks for; its cursors are bound to user, route and filters."""
    filters = {name: value for name, value in request.query.items() if name not in _OWN_PARAMETERS}
    scope = cursor_scope(user_id=user_id, route=route_template(request), filters=filters)
    params = parse_cursor_pagination_params(request.query, scope=scope, secret=secret)
    return PageRequest(limit=params.limit, cursor=params.cursor, scope=scope, secret=secret, count=count)


async def fetch_page(
    connection: Connection,
    sql: str,
    args: Sequence[Any],
    *,
    page: PageRequest,
    present: Callable[[Row], T],
    order: Order = NEWEST_FIRST,
) -> Page[T]:
    """One page of the rows that `sql` selects; `present` makes one what the client sees."""
    query = build_cursor_query(sql, page.cursor, page.limit, order.column, order.direction)
    rows = cast("list[Mapping[str, Any]]", await connection.fetch(query.sql, *args, *query.params))
    found = create_cursor_paginated_response(
        rows,
        page.limit,
        cursor=page.cursor,
        scope=page.scope,
        secret=page.secret,
        column=order.column,
        present=present,
    )
    counted = await _count(connection, sql, args) if page.count else {}
    return Page(data=found["data"], pagination=Pagination(**found["pagination"], **counted))


def answer_page(request: web.Request, page: Page[T]) -> Answer[Page[T]]:
    """The answer, with its `Link` header."""
    link = link_header(request.rel_url, msgspec.structs.asdict(page.pagination))
    return answer(page, headers={hdrs.LINK: link} if link else None)


async def _count(connection: Connection, sql: str, args: Sequence[Any]) -> dict[str, Any]:
    query = build_count_query(sql, COUNT_MAX + 1)
    rows: int = await connection.fetchval(query.sql, *args, *query.params)
    return {"total": min(rows, COUNT_MAX), "total_is_exact": rows <= COUNT_MAX}
