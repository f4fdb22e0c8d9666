"""Cursor pages on a real PostgreSQL."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.pagination import (
    Cursor,
    SortColumn,
    SortDirection,
    build_cursor_query,
    create_cursor_paginated_response,
    parse_cursor_pagination_params,
)

KEY = b"0123456789abcdef0123456789abcdef"
USER, NEIGHBOUR = UUID(int=1), UUID(int=2)
BASE = "SELECT id, created_at FROM listed_rows WHERE user_id = $1 OR FALSE"
START = datetime(2026, 1, 1, tzinfo=UTC)
END = object()


@pytest.fixture
async def connection(database_url):
    connection = await asyncpg.connect(database_url, timeout=10)
    await connection.execute(
        "CREATE TEMPORARY TABLE listed_rows "
        "(id uuid PRIMARY KEY, user_id uuid NOT NULL, created_at timestamptz NOT NULL)"
    )
    await connection.execute("CREATE INDEX listed_rows_by_time ON listed_rows (user_id, created_at DESC, id DESC)")
    yield connection
    await connection.close()


async def fill(connection, count):
    """Rows of two tenants at few moments, some of them one microsecond apart."""
    chance = random.Random(5)  # noqa: S311 - the same rows in every run
    made = [
        (UUID(int=chance.getrandbits(128)), user, START + timedelta(microseconds=chance.randrange(max(1, count // 8))))
        for _ in range(count)
        for user in (USER, NEIGHBOUR)
    ]
    await connection.copy_records_to_table("listed_rows", records=made)
    return sorted((created_at, row_id) for row_id, user, created_at in made if user == USER)


async def insert(connection, rows):
    await connection.copy_records_to_table("listed_rows", records=[(row_id, USER, at) for at, row_id in rows])


def walk_plan(node):
    """A plan's node and every node below it."""
    yield node
    for below in node.get("Plans", []):
        yield from walk_plan(below)


async def fetch(connection, cursor_text, *, limit, direction):
    query = {"limit": str(limit)} | ({"cursor": cursor_text} if cursor_text else {})
    params = parse_cursor_pagination_params(query, scope="test", secret=KEY)
    page = build_cursor_query(BASE, params.cursor, params.limit, SortColumn.CREATED_AT, direction)
    rows = await connection.fetch(page.sql, USER, *page.params)
    answer = create_cursor_paginated_response(
        rows,
        params.limit,
        cursor=params.cursor,
        scope="test",
        secret=KEY,
        present=lambda row: (row["created_at"], row["id"]),
    )
    return answer["data"], answer["pagination"]


@pytest.mark.parametrize("direction", list(SortDirection))
@pytest.mark.parametrize(("count", "limit"), [(0, 3), (1, 1), (7, 7), (8, 7), (100, 7), (101, 1), (250, 100)])
async def test_every_row_is_shown_once_in_both_directions(connection, direction, count, limit):
    """Walking to the end and back shows each of the tenant's rows once, in order, ties and microseconds included."""
    expected = await fill(connection, count)
    if direction is SortDirection.DESC:
        expected.reverse()

    forward, pages, cursor = [], 0, None
    while True:
        data, pagination = await fetch(connection, cursor, limit=limit, direction=direction)
        forward += data
        pages += 1
        assert pagination["has_more"] is (pagination["next_cursor"] is not None)
        assert (pagination["prev_cursor"] is None) is (pages == 1)
        if not pagination["has_more"]:
            break
        cursor = pagination["next_cursor"]

    backward = list(data)
    while cursor := pagination["prev_cursor"]:
        data, pagination = await fetch(connection, cursor, limit=limit, direction=direction)
        backward = data + backward
        assert pagination["next_cursor"]

    assert forward == expected
    assert backward == expected
    assert pages == max(1, -(-count // limit))


MOMENTS = st.integers(0, 5)  # microseconds: few, so that most rows are tied
CHANGE = st.lists(st.tuples(st.booleans(), MOMENTS), max_size=3)  # a row goes, or one comes at a moment


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    # The table is common to all examples, and each leaves it empty.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    lasting=st.lists(MOMENTS, max_size=25),
    passing=st.lists(MOMENTS, max_size=15),
    changes=st.lists(CHANGE, max_size=30),
    limit=st.integers(1, 9),
    direction=st.sampled_from(SortDirection),
    seed=st.integers(0, 2**32 - 1),
)
async def test_rows_that_come_and_go_disturb_no_other(connection, lasting, passing, changes, limit, direction, seed):
    """Each row that lives throughout is shown exactly once, forward and back, while others come and go meanwhile."""
    chance = random.Random(seed)  # noqa: S311 - ids, which also part rows of one moment

    def row(us):
        return START + timedelta(microseconds=us), UUID(int=chance.getrandbits(128))

    rows = [row(us) for us in [*lasting, *passing]]
    kept, removable = set(rows[: len(lasting)]), rows[len(lasting) :]
    pending = iter(changes)

    async def change():
        for goes, us in next(pending, []):
            if goes and removable:
                _, victim = removable.pop(chance.randrange(len(removable)))
                await connection.execute("DELETE FROM listed_rows WHERE id = $1", victim)
            elif not goes:
                removable.append(row(us))
                await insert(connection, removable[-1:])

    async def walk(cursor, relation):
        while cursor is not END:
            await change()
            data, pagination = await fetch(connection, cursor, limit=limit, direction=direction)
            yield data, pagination
            cursor = pagination[relation] or END

    transaction = connection.transaction()
    await transaction.start()
    try:
        await insert(connection, rows)
        forward = [page async for page in walk(None, "next_cursor")]
        last = forward[-1][1]
        backward = [page async for page in walk(last["prev_cursor"] or END, "prev_cursor")]
    finally:
        await transaction.rollback()

    for pages in (forward, [*reversed(backward), forward[-1]]):
        shown = [row for data, _ in pages for row in data]
        assert sorted(row for row in shown if row in kept) == sorted(kept)
        assert len(shown) == len(set(shown))
        assert shown == sorted(shown, reverse=direction is SortDirection.DESC)


@pytest.mark.parametrize("direction", list(SortDirection))
async def test_a_page_whose_rows_are_gone_leads_back(connection, direction):
    """When everything beyond a place was removed, the empty page leads back to the row at that place."""
    await fill(connection, 20)
    first, pagination = await fetch(connection, None, limit=5, direction=direction)
    await connection.execute("DELETE FROM listed_rows WHERE id <> ALL($1)", [row_id for _, row_id in first])

    empty, beyond = await fetch(connection, pagination["next_cursor"], limit=5, direction=direction)
    back, _ = await fetch(connection, beyond["prev_cursor"], limit=5, direction=direction)

    assert empty == []
    assert beyond["has_more"] is False
    assert back == first


@pytest.mark.parametrize("backward", [False, True])
async def test_a_deep_page_costs_what_the_first_one_costs(connection, backward):
    """The statement is answered by the index alone: a row comparison as its condition, and no sort."""
    value, row_id = (await fill(connection, 5000))[2500]
    await connection.execute("ANALYZE listed_rows")
    cursor = Cursor(column=SortColumn.CREATED_AT, value=value, id=row_id, backward=backward)
    page = build_cursor_query(BASE, cursor, 50)

    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {page.sql}", USER, *page.params)

    nodes = list(walk_plan(json.loads(plan)[0]["Plan"]))
    assert [node["Node Type"] for node in nodes if "Sort" in node["Node Type"]] == []
    [scan] = [node for node in nodes if node.get("Index Name") == "listed_rows_by_time"]
    assert "ROW(created_at, id)" in scan["Index Cond"].replace("listed_rows.", "")
    assert "Filter" not in scan


async def test_nothing_that_lists_are_sorted_by_is_ever_missing(database_url):
    """A row without a value in the sort column would vanish from its list; no table allows one."""
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        nullable = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name = ANY($1) AND is_nullable = 'YES'",
            [column.value for column in SortColumn],
        )
    finally:
        await connection.close()

    assert nullable == []
