"""The first page of a long list, and the page behind a million rows: by cursor and by OFFSET."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.bench import Bench
from benchmarks.indexes import large_database
from benchmarks.processes import BenchmarkError
from benchmarks.rows import Row, ratio, row
from benchmarks.subjects import INSTADISTRO
from services.api.publications import store
from shared.database import Connection
from shared.database import Row as Record
from shared.pagination import PAGINATION_LIMITS, Cursor, SortColumn, build_cursor_query

OFFSET = "OFFSET"
_DEPTH = 1_000_000
_LIMIT = PAGINATION_LIMITS.DEFAULT
# In each turn.
_PAGES, _OFFSET_PAGES = 50, 3
_LONGEST_LIST = "SELECT user_id, count(*) AS rows FROM publications GROUP BY user_id ORDER BY count(*) DESC LIMIT 1"


@dataclass(frozen=True, kw_only=True)
class _List:
    """The gateway's own list of a tenant's publications, newest first."""

    sql: str
    args: Sequence[Any]

    async def page(self, connection: Connection, cursor: Cursor | None) -> list[Record]:
        query = build_cursor_query(self.sql, cursor, _LIMIT)
        return await connection.fetch(query.sql, *self.args, *query.params)

    async def page_by_offset(self, connection: Connection, depth: int) -> list[Record]:
        sql = f"{self.sql} ORDER BY created_at DESC, id DESC LIMIT {_LIMIT + 1} OFFSET {depth}"
        return await connection.fetch(sql, *self.args)


async def pages(bench: Bench) -> list[Row]:
    """From the query's sending to the last row's arrival, as the gateway fetches it, the median of many."""
    depth = round(_DEPTH * bench.scale)
    first_ms: list[float] = []
    deep_ms: list[float] = []
    offset_ms: list[float] = []
    async with large_database(bench) as pool, pool.acquire() as connection:
        listed = await _longest_list(connection, depth)
        cursor = await _cursor_at(connection, listed, depth)
        bench.report.begin("pages", trials=bench.runs)
        for _ in range(bench.runs):
            # By turns, so that whatever befalls the machine befalls both.
            near_and_far = await _medians_ms(
                _PAGES, lambda: listed.page(connection, None), lambda: listed.page(connection, cursor)
            )
            far = await _medians_ms(_OFFSET_PAGES, lambda: listed.page_by_offset(connection, depth))
            for series, median_ms in zip((first_ms, deep_ms, offset_ms), (*near_and_far, *far), strict=True):
                series.append(median_ms)
            bench.report.tell(f"first {first_ms[-1]:.3g} ms, deep {deep_ms[-1]:.3g} ms, OFFSET {offset_ms[-1]:,.3g} ms")
    return compared(depth, first_ms=first_ms, deep_ms=deep_ms, offset_ms=offset_ms)


def compared(
    depth: int, *, first_ms: Sequence[float], deep_ms: Sequence[float], offset_ms: Sequence[float]
) -> list[Row]:
    """The rows of one run: the three pages, what depth costs, and what OFFSET costs at that depth."""
    case = f"page at depth {depth:,}"
    first = row("first page", INSTADISTRO, "page", "ms", first_ms)
    deep = row(case, INSTADISTRO, "page", "ms", deep_ms)
    offset = row(case, OFFSET, "page", "ms", offset_ms)
    return [
        first,
        deep,
        offset,
        ratio(case, "ratio_to_first_page", deep, first),
        ratio(case, "ratio_to_instadistro", offset, deep),
    ]


async def _longest_list(connection: Connection, depth: int) -> _List:
    tenant = await connection.fetchrow(_LONGEST_LIST)
    if tenant is None or tenant["rows"] < depth + 2 * _LIMIT:
        raise BenchmarkError(f"No tenant has {depth:,} publications and a page more; use another --scale.")
    filters = ("state", "account_id", "group_id", "post_id", "distribution_id", "begin", "end", "allowed")
    sql, args = store.list_query(tenant["user_id"], **dict.fromkeys(filters))
    return _List(sql=sql, args=args)


async def _cursor_at(connection: Connection, listed: _List, depth: int) -> Cursor:
    """The cursor of a page behind `depth` rows.

    Raises:
        BenchmarkError: it leads to other rows than OFFSET does, so that the two cannot be compared.
    """
    before, *page = await listed.page_by_offset(connection, depth - 1)
    cursor = Cursor(column=SortColumn.CREATED_AT, value=before["created_at"], id=before["id"])
    rows = await listed.page(connection, cursor)
    if [one["id"] for one in rows[:_LIMIT]] != [one["id"] for one in page]:
        raise BenchmarkError("The page by cursor holds other rows than the page by OFFSET.")
    return cursor


async def _medians_ms(times: int, *fetches: Callable[[], Awaitable[object]]) -> list[float]:
    """How long each of the fetches takes, the median of so many, all of them by turns."""
    took_ms: list[list[float]] = [[] for _ in fetches]
    for fetch in fetches:
        await fetch()  # warms the caches
    for _ in range(times):
        for series, fetch in zip(took_ms, fetches, strict=True):
            began = time.perf_counter()
            await fetch()
            series.append((time.perf_counter() - began) * 1000)
    return [statistics.median(series) for series in took_ms]
