"""Pages: from a client's query to SQL, and from its rows to the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yarl import URL

from shared.pagination.cursor import Cursor, SortColumn, SortDirection, decode_cursor, encode_cursor
from shared.pagination.errors import InvalidCursorError
from shared.pagination.limits import parse_limit

Row = Mapping[str, Any]  # or an asyncpg.Record

# What may hold a "$1" that is no parameter: literals, quoted names, comments.
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_PARAMETER = re.compile(r"\$([0-9]+)")


@dataclass(frozen=True, kw_only=True)
class CursorParams:
    """What a client asked for."""

    limit: int  # rows, 1 to 100
    cursor: Cursor | None  # None: from the begin of the list


@dataclass(frozen=True, kw_only=True)
class CursorQuery:
    """A statement for one page and one row more; `params` follow those of the base statement."""

    sql: str
    params: tuple[Any, ...]


def parse_cursor_pagination_params(query: Mapping[str, str], *, scope: str, secret: bytes) -> CursorParams:
    """Read `limit` and `cursor` of a request.

    Args:
        query: the request's query.
        scope: from `cursor_scope`, the same for every page of one list.
        secret: the key that signs cursors.

    Raises:
        PaginationError: `limit` is no whole number (`invalid_limit`). Answer 400.
        InvalidCursorError: `cursor` was not made for this scope (`invalid_cursor`). Answer 400.
    """
    limit, text = parse_limit(query), query.get("cursor")
    return CursorParams(limit=limit, cursor=None if text is None else decode_cursor(text, scope=scope, secret=secret))


def build_cursor_query(
    base_sql: str,
    cursor: Cursor | None,
    limit: int,
    column: SortColumn = SortColumn.CREATED_AT,
    direction: SortDirection = SortDirection.DESC,
) -> CursorQuery:
    """The statement for one page, sorted by `(column, id)`.

    It fetches one row more than `limit`, which tells whether the list goes on; a page backward comes in reverse. Both
    are for `create_cursor_paginated_response` to put right. An index of the base's conditions, `column` and `id`
    serves it.

    Args:
        base_sql: a SELECT that returns `column` and `id`, with parameters `$1` ... `$n`; without ORDER BY and LIMIT.
        cursor: where to begin, as parsed.
        limit: rows of the page.
        column: what the list is sorted by; never from the request.
        direction: the list's order; never from the request.

    Raises:
        InvalidCursorError: the cursor is one of another order. Answer 400.
    """
    column, direction = SortColumn(column), SortDirection(direction)
    if cursor is not None and cursor.column is not column:
        raise InvalidCursorError
    used = max((int(number) for number in _PARAMETER.findall(_QUOTED.sub("", base_sql))), default=0)
    backward = cursor is not None and cursor.backward
    descending = (direction is SortDirection.DESC) is not backward
    order = "DESC" if descending else "ASC"
    params: tuple[Any, ...] = (limit + 1,)
    # In brackets, or an OR in the base would escape the comparison; PostgreSQL plans it as if they were not there.
    lines = ["SELECT * FROM (", base_sql.strip().rstrip(";"), ") AS listed"]
    if cursor is not None:
        comparison = ("<" if descending else ">") + ("=" if cursor.inclusive else "")
        lines.append(f"WHERE ({column}, id) {comparison} (${used + 1}, ${used + 2})")
        params = (cursor.value, cursor.id, limit + 1)
    lines += [f"ORDER BY {column} {order}, id {order}", f"LIMIT ${used + len(params)}"]
    return CursorQuery(sql="\n".join(lines), params=params)


def build_count_query(base_sql: str, most: int) -> CursorQuery:
    """The statement that counts the rows of a list, and stops counting at `most`.

    Args:
        base_sql: as for `build_cursor_query`.
        most: rows beyond this are not looked at, so that a count costs no more than that.
    """
    used = max((int(number) for number in _PARAMETER.findall(_QUOTED.sub("", base_sql))), default=0)
    listed = base_sql.strip().rstrip(";")
    sql = f"SELECT count(*) FROM (SELECT 1 FROM (\n{listed}\n) AS listed LIMIT ${used + 1}) AS counted"  # noqa: S608 - no value is put in
    return CursorQuery(sql=sql, params=(most,))


def create_cursor_paginated_response(
    rows: Sequence[Row],
    limit: int,
    *,
    cursor: Cursor | None,
    scope: str,
    secret: bytes,
    column: SortColumn = SortColumn.CREATED_AT,
    present: Callable[[Any], Any] = dict,
) -> dict[str, Any]:
    """The answer for one page: `{"data", "pagination": {"limit", "next_cursor", "prev_cursor", "has_more"}}`.

    `has_more` says that `next_cursor` leads on. The first page has no `prev_cursor`; a later page that turns out empty
    leads back to where it came from.

    Args:
        rows: what the statement of `build_cursor_query` returned, untouched.
        limit: rows of the page, as given to it.
        cursor: as given to it.
        scope: as given to `parse_cursor_pagination_params`.
        secret: the same.
        column: as given to `build_cursor_query`.
        present: makes one row what the client sees.

    Raises:
        TypeError: a row has no time in `column`. Make it NOT NULL: rows without a value vanish from lists.
    """
    column = SortColumn(column)
    backward = cursor is not None and cursor.backward
    page = list(rows[:limit])
    _require_times(page, column)
    goes_on = len(rows) > limit
    if backward:
        page.reverse()
    has_next, has_prev = (bool(page), goes_on) if backward else (goes_on, bool(page) and cursor is not None)
    following = _place(page[-1], column) if has_next else None
    preceding = _place(page[0], column, backward=True) if has_prev else None
    if cursor is not None and not page:
        following, preceding = _turned(cursor)
    return {
        "data": [present(row) for row in page],
        "pagination": {
            "limit": limit,
            "next_cursor": following and encode_cursor(following, scope=scope, secret=secret),
            "prev_cursor": preceding and encode_cursor(preceding, scope=scope, secret=secret),
            "has_more": following is not None,
        },
    }


def link_header(url: URL, pagination: Mapping[str, Any]) -> str | None:
    """The `Link` header (RFC 8288) of a page, or None when it leads nowhere.

    Args:
        url: the request's URL; everything but `cursor` is kept.
        pagination: the answer's `pagination`.
    """
    links = [
        f'<{url.update_query(cursor=pagination[f"{relation}_cursor"])}>; rel="{relation}"'
        for relation in ("next", "prev")
        if pagination[f"{relation}_cursor"]
    ]
    return ", ".join(links) or None


def _place(row: Row, column: SortColumn, *, backward: bool = False) -> Cursor:
    return Cursor(column=column, value=row[column.value], id=row["id"], backward=backward)


def _require_times(page: Sequence[Row], column: SortColumn) -> None:
    # Of every row, not only of those that become cursors, or a NULL would go unnoticed until rows are missed.
    for row in page:
        if not isinstance(row[column.value], datetime):
            found = type(row[column.value]).__name__
            raise TypeError(f"Rows are sorted by {column.value!r}, but one holds {found}; make it NOT NULL.")


def _turned(cursor: Cursor) -> tuple[Cursor | None, Cursor | None]:
    # The rows beyond this place are gone. The way back begins with the row at the place itself.
    back = Cursor(column=cursor.column, value=cursor.value, id=cursor.id, backward=not cursor.backward, inclusive=True)
    return (back, None) if cursor.backward else (None, back)
