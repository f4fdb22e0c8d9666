"""Reading an import: CSV or a JSON list to rows, with every fault of every row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.api.accounts.check_row import FIELDS, REQUIRED, AccountRow, RowFaultsError, check_row, row_fault, shorten
from services.api.http import Fault, ProblemError, decode_json

# More names than that are no header of ours, and are not told one by one.
_COLUMNS_MAX = 50

ROWS_MAX = 10_000


@dataclass(frozen=True, kw_only=True)
class _Line:
    number: int
    raw: Mapping[str, Any]
    fault: Fault | None = None  # the line as a whole cannot be read


def read_csv(content: bytes) -> list[AccountRow]:
    """The rows of a CSV file in UTF-8 whose first line names the columns.

    Raises:
        ProblemError: `validation_failed` with line, field, code and message of every fault.
    """
    return _check(_csv_lines(content))


def read_list(content: bytes) -> list[AccountRow]:
    """The rows of a JSON list; `line` is the place in the list, from 1. Raises as `read_csv`, or `malformed_json`."""
    rows = decode_json(content, list[dict[str, Any]])
    return _check(_Line(number=number, raw=raw) for number, raw in enumerate(rows, start=1))


def import_problem(faults: list[Fault]) -> ProblemError:
    """The problem of an import that was refused as a whole."""
    lines = len({fault.line for fault in faults})
    return ProblemError("validation_failed", f"{lines} line(s) have faults; nothing was imported.", errors=faults)


def _check(lines: Iterator[_Line]) -> list[AccountRow]:
    rows: list[AccountRow] = []
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for count, line in enumerate(lines, start=1):
        if count > ROWS_MAX:
            message = f"At most {ROWS_MAX:,} accounts are imported at once; divide the file."
            raise import_problem([row_fault("", "too_many_rows", message, line=line.number)])
        try:
            rows.append(_row(line, seen))
        except RowFaultsError as error:
            faults += error.faults
    if not rows and not faults:
        faults = [row_fault("", "no_rows", "There is no account in it.", line=1)]
    if faults:
        raise import_problem(faults)
    return rows


def _row(line: _Line, seen: dict[str, int]) -> AccountRow:
    if line.fault is not None:
        raise RowFaultsError([line.fault])
    row = check_row(line.raw, line=line.number)
    first = seen.setdefault(row.instagram_user_id, line.number)
    if first != line.number:
        message = f"The same account stands on line {first}."
        raise RowFaultsError([row_fault("instagram_user_id", "duplicate_row", message, line=line.number)])
    return row


def _csv_lines(content: bytes) -> Iterator[_Line]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = "The file is not UTF-8; save it as CSV UTF-8."
        raise import_problem([row_fault("", "invalid_text", message, line=line)]) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = _header(reader)
    begin = reader.line_num
    while (values := _next(reader)) is not None:
        # A quoted value may hold line breaks; the line where the record begins is the one people look for.
        number, begin = begin + 1, reader.line_num
        if values:  # an empty line is no account
            yield _line(number, names, values)


def _header(reader: Any) -> list[str]:
    names = [name.strip() for name in _next(reader) or []]
    if len(names) > _COLUMNS_MAX:
        message = f"The first line names {len(names)} columns; known are: {', '.join(FIELDS)}."
        raise import_problem([row_fault("", "wrong_column_count", message, line=1)])
    faults = [
        row_fault(name, "missing_column", f"The column {name!r} is missing.", line=1)
        for name in REQUIRED
        if name not in names
    ]
    for index, name in enumerate(names):
        if name not in FIELDS:
            message = f"There is no column {shorten(name)!r}; known are: {', '.join(FIELDS)}."
            faults.append(row_fault(shorten(name), "unknown_column", message, line=1))
        elif name in names[:index]:
            faults.append(row_fault(name, "duplicate_column", f"The column {name!r} stands there twice.", line=1))
    if faults:
        raise import_problem(faults)
    return names


def _next(reader: Any) -> list[str] | None:
    try:
        values: list[str] | None = next(reader, None)
    except csv.Error as error:
        message = f"From here the file is no CSV: {error}."
        raise import_problem([row_fault("", "malformed_csv", message, line=reader.line_num)]) from error
    return values


def _line(number: int, names: list[str], values: list[str]) -> _Line:
    if len(values) != len(names):
        message = f"The line has {len(values)} values; the first line names {len(names)} columns."
        fault = row_fault("", "wrong_column_count", message, line=number)
        return _Line(number=number, raw={}, fault=fault)
    return _Line(number=number, raw=dict(zip(names, values, strict=True)))
