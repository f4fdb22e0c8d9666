"""Cursor pages on a real PostgreSQL."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

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


async def test_rows_that_come_and_go_disturb_no_other(connection):
    """Rows that lived throughout are shown exactly once while others are added and removed between the pages."""
    expected = await fill(connection, 120)
    lasting, removable = set(expected[::2]), expected[1::2]
    chance = random.Random(9)  # noqa: S311 - the same changes in every run

    shown, cursor = [], None
    while True:
        data, pagination = await fetch(connection, cursor, limit=7, direction=SortDirection.DESC)
        shown += data
        for _ in range(min(3, len(removable))):
            _, victim = removable.pop(chance.randrange(len(removable)))
            await connection.execute("DELETE FROM listed_rows WHERE id = $1", victim)
            moment = START + timedelta(microseconds=chance.randrange(15))
            new = UUID(int=chance.getrandbits(128))
            await connection.execute("INSERT INTO listed_rows VALUES ($1, $2, $3)", new, USER, moment)
        if not (cursor := pagination["next_cursor"]):
            break

    assert sorted(row for row in shown if row in lasting) == sorted(lasting)
    assert len(shown) == len(set(shown))


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

    plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {page.sql}", USER, *page.params))

    described = json.dumps(plan)
    assert "listed_rows_by_time" in described
    assert "ROW(created_at, id)" in described.replace("listed_rows.", "")
    assert '"Sort"' not in described
