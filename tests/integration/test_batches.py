"""Many rows in one statement, and which of them is to blame."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.database import BATCH_ROWS_MAX, BatchError, create_pool, insert_many, update_many

_COLUMNS = ("id", "name", "tags", "at")
_TYPES = {"id": "integer", "name": "text", "at": "timestamptz"}
_NOW = datetime.now(UTC)


@pytest.fixture
async def tx(database_url):
    async with await create_pool(database_url, application_name="test") as pool, pool.acquire() as connection:
        await connection.execute(
            """
            CREATE TEMPORARY TABLE parents (id integer PRIMARY KEY);
            CREATE TEMPORARY TABLE named (
                id integer PRIMARY KEY, name text NOT NULL CHECK (name <> 'bad'), tags text[], at timestamptz,
                parent integer REFERENCES parents
            )
            """
        )
        async with connection.transaction():
            yield connection


def rows(count):
    return [(number, f"name {number}", ["a", "b"], _NOW) for number in range(count)]


async def test_rows_are_inserted_with_arrays_and_nulls(tx):
    """What goes in comes out, and how many it was is told."""
    assert await insert_many(tx, "named", _COLUMNS, [*rows(1000), (1000, "the last", None, None)]) == 1001

    assert await tx.fetchval("SELECT count(*) FROM named WHERE tags = '{a,b}' AND at = $1", _NOW) == 1000
    assert await tx.fetchval("SELECT name FROM named WHERE tags IS NULL AND at IS NULL") == "the last"


@pytest.mark.parametrize("work", [insert_many, update_many])
async def test_no_rows_are_no_error(tx, work):
    """An empty batch asks the server nothing."""
    given = {"types": _TYPES, "key": ["id"], "rows": []} if work is update_many else {"columns": _COLUMNS, "rows": []}

    assert await work(tx, "named", **given) == 0


@pytest.mark.parametrize(
    "bad",
    [
        (0, "twice", None, None),
        (7, "bad", None, None),
        (7, None, None, None),
        (7, "zero \0 byte", None, None),
        ("seven", "not a number", None, None),
        (2**40, "too large a number", None, None),
        (7, "too few"),
        (7, "too many", None, None, None),
    ],
    ids=lambda row: row[1] if row[1] and "\0" not in row[1] else repr(row[1]),
)
async def test_the_row_that_does_not_fit_is_named(tx, bad):
    """Whether the server or the driver refuses it; and nothing is written."""
    with pytest.raises(BatchError, match="row 3 of the batch does not fit named") as caught:
        async with tx.transaction():
            await insert_many(tx, "named", _COLUMNS, [*rows(3), bad, (8, "fits", None, None)])

    assert caught.value.row == 3
    assert await tx.fetchval("SELECT count(*) FROM named") == 0


async def test_a_missing_parent_is_told_though_not_its_row(tx):
    """PostgreSQL looks for parents after all rows are in, and tells the key."""
    with pytest.raises(BatchError, match=r"Key \(parent\)=\(9\) is not present") as caught:
        await insert_many(tx, "named", ["id", "name", "parent"], [(1, "orphan", 9)])

    assert caught.value.row is None


async def test_rows_are_updated_each_with_its_own_values(tx):
    """Only those that are there, and only the columns given."""
    await insert_many(tx, "named", _COLUMNS, rows(3))
    changes = [{"id": number, "name": f"new {number}", "at": None} for number in (2, 1, 9)]

    assert await update_many(tx, "named", changes, types=_TYPES, key=["id"]) == 2

    assert [tuple(row) for row in await tx.fetch("SELECT id, name, tags, at FROM named ORDER BY id")] == [
        (0, "name 0", ["a", "b"], _NOW),
        (1, "new 1", ["a", "b"], None),
        (2, "new 2", ["a", "b"], None),
    ]


async def test_two_updates_of_one_row_are_refused(tx):
    """PostgreSQL would take either, and not say which."""
    changes = [{"id": 1, "name": name, "at": None} for name in ("one", "other")]

    with pytest.raises(BatchError, match="row 1 of the batch") as caught:
        await update_many(tx, "named", changes, types=_TYPES, key=["id"])

    assert caught.value.row == 1


async def test_an_update_that_does_not_fit_is_told(tx):
    """The driver tells the row, the server the row's content."""
    await insert_many(tx, "named", _COLUMNS, rows(3))
    fits = {"id": 0, "name": "fits", "at": None}

    with pytest.raises(BatchError, match="row 1 of the batch") as by_driver:
        await update_many(tx, "named", [fits, {"id": 1, "name": 5, "at": None}], types=_TYPES, key=["id"])
    with pytest.raises(BatchError, match="bad") as by_server:
        await update_many(tx, "named", [fits, {"id": 1, "name": "bad", "at": None}], types=_TYPES, key=["id"])

    assert (by_driver.value.row, by_server.value.row) == (1, None)


async def test_a_batch_has_a_bound(tx):
    """Too much at once is refused before anything is sent, with what to do."""
    with pytest.raises(ValueError, match="process_batch"):
        await insert_many(tx, "named", _COLUMNS, rows(1) * (BATCH_ROWS_MAX + 1))


@pytest.mark.parametrize("name", ["named; DROP TABLE named", "Named", ""])
async def test_a_name_is_a_plain_name(tx, name):
    """Names are written into the statement, so they are checked."""
    with pytest.raises(ValueError, match="no name of a table or column"):
        await insert_many(tx, name, _COLUMNS, rows(1))
    with pytest.raises(ValueError, match="no name of a table or column"):
        await update_many(tx, "named", [{"id": 1, name: 1}], types={"id": "integer", name: "text"}, key=["id"])
