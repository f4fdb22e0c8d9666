"""Many rows in one statement: COPY to insert them, `unnest` to update them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import asyncpg

from shared.database.measures import count_query
from shared.database.pool import Connection
from shared.errors import InstaDistroError

#: Rows of one call at most: they are in memory twice, and their locks are held until the transaction ends.
BATCH_ROWS_MAX = 50_000
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_TYPE = re.compile(r"[a-z][a-z0-9_ ]*")
# Where the server, and the driver, tell the row.
_COPY_LINE = re.compile(r"^COPY \w+, line (\d+)")
_ELEMENT = re.compile(r"element at index (\d+)")
_REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
# What becomes of a value that the driver cannot write as its column's type.
_NOT_ENCODED = (ValueError, TypeError, OverflowError, AttributeError)


class BatchError(InstaDistroError):
    """A batch holds a row that the table cannot take; nothing was written. Mend it, send all rows again."""

    def __init__(self, table: str, reason: str, *, row: int | None) -> None:
        where = "a row" if row is None else f"row {row}"
        super().__init__(f"{where} of the batch does not fit {table}: {reason}. Mend it, send all again.")
        self.row = row  # its place in the batch, from 0; None where the server does not tell
        self.reason = reason


async def insert_many(tx: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Insert rows by COPY: the fastest way in, for rows of which none is there yet.

    Args:
        tx: the caller's transaction.
        table: its name; from the code, never from a request.
        columns: their names, in the order of each row's values; likewise.
        rows: 50,000 at most; none is no error.

    Returns:
        How many rows were inserted: all of them.

    Raises:
        BatchError: a row does not fit; its `row` is the place. The transaction is of no more use unless this ran in a
            savepoint.
        ValueError: too many rows, or a name that is none. Part the rows with `process_batch`.
    """
    _check(table, columns, rows)
    if not rows:
        return 0
    _require_width(table, rows, len(columns))
    taken = _Taken(rows)
    try:
        await _copy(tx, table, columns, taken)
    except _REFUSED as error:
        raise BatchError(table, _reason(error), row=_copied_row(error)) from error
    except _NOT_ENCODED as error:
        raise BatchError(table, str(error), row=taken.place) from error
    return len(rows)


async def update_many(
    tx: Connection,
    table: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    types: Mapping[str, str],
    key: Sequence[str],
) -> int:
    """Update rows, each with values of its own, in one statement.

    Args:
        tx: the caller's transaction.
        table: its name; from the code, never from a request.
        rows: 50,000 at most, each with a value for every column of `types`.
        types: the PostgreSQL type of each column, such as `{"user_id": "uuid", "id": "uuid", "username": "text"}`; no
            arrays, which `unnest` would take apart.
        key: those of the columns that name the row; the others are set.

    Returns:
        How many rows were updated; keys that the table does not have change nothing.

    Raises:
        BatchError: two rows have one key, or a row does not fit; its `row` is the place where that is known. The
            transaction is of no more use unless this ran in a savepoint.
        ValueError: too many rows, or a name that is none. Part the rows with `process_batch`.
    """
    _check(table, types, rows)
    if not rows:
        return 0
    _require_one_each(table, rows, key)
    statement = update_statement(table, types, key=key)
    try:
        status = await tx.execute(statement, *([row[name] for row in rows] for name in types))
    except (*_REFUSED, *_NOT_ENCODED) as error:
        raise BatchError(table, _reason(error), row=_found(_ELEMENT, str(error))) from error
    return int(status.removeprefix("UPDATE "))


def update_statement(table: str, types: Mapping[str, str], *, key: Sequence[str]) -> str:
    """The statement of `update_many`, for the index catalogue."""
    if faults := [type_ for type_ in types.values() if not _TYPE.fullmatch(type_)]:
        raise ValueError(f"no type of a column that can be updated: {faults}")
    sets = ", ".join(f"{name} = new.{name}" for name in types if name not in key)
    arrays = ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(types.values(), 1))
    same = " AND ".join(f"{table}.{name} = new.{name}" for name in key)
    return f"UPDATE {table}\nSET {sets}\nFROM unnest({arrays}) AS new ({', '.join(types)})\nWHERE {same}"


class _Taken:
    """Rows on their way into a COPY, and the place of the one that was taken last."""

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self._rows = rows
        self.place: int | None = None

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for place, row in enumerate(self._rows):
            self.place = place
            yield row


async def _copy(tx: Connection, table: str, columns: Sequence[str], records: _Taken) -> None:
    began = time.perf_counter()
    failed: BaseException | None = None
    try:
        await tx.copy_records_to_table(table, columns=list(columns), records=records)
    except BaseException as error:
        failed = error
        raise
    finally:
        # The driver tells its loggers of every query but this kind.
        count_query(f"COPY {table} ({', '.join(columns)})", time.perf_counter() - began, failed)


def _check(table: str, columns: Sequence[str] | Mapping[str, str], rows: Sequence[Any]) -> None:
    if faults := [name for name in (table, *columns) if not _NAME.fullmatch(name)]:
        raise ValueError(f"no name of a table or column: {faults}")
    if len(rows) > BATCH_ROWS_MAX:
        raise ValueError(f"{len(rows)} rows are more than {BATCH_ROWS_MAX} at a time; part them with process_batch")


def _require_width(table: str, rows: Sequence[Sequence[Any]], width: int) -> None:
    # The driver would drop what is too much, in silence.
    for place, row in enumerate(rows):
        if len(row) != width:
            raise BatchError(table, f"it has {len(row)} values for {width} columns", row=place)


def _require_one_each(table: str, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> None:
    # PostgreSQL would take one of the two, and not say which.
    seen: set[tuple[Any, ...]] = set()
    for place, row in enumerate(rows):
        name = tuple(row[column] for column in key)
        if name in seen:
            raise BatchError(table, f"another row before it has the key {name}", row=place)
        seen.add(name)


def _copied_row(error: Exception) -> int | None:
    line = _found(_COPY_LINE, getattr(error, "context", None) or "")
    return None if line is None else line - 1


def _found(pattern: re.Pattern[str], text: str) -> int | None:
    match = pattern.search(text)
    return None if match is None else int(match[1])


def _reason(error: Exception) -> str:
    detail = getattr(error, "detail", None)
    return f"{error} ({detail})" if detail else str(error)
