"""Reading CSV while it arrives: whole records out of pieces that end wherever the network cut them."""

from __future__ import annotations

import codecs
import csv
import io

from services.api.accounts.check_row import FIELDS, REQUIRED, shorten
from services.api.accounts.row_faults import import_problem, row_fault
from services.api.http import ProblemError
from services.api.imports.collect_rows import RowCollector
from shared.accounts.imports import AccountRow

# More names than that are no header of ours, and are not told one by one.
_COLUMNS_MAX = 50
# Spreadsheets write what their country writes.
_DELIMITERS = (",", ";", "\t")
# What the reader says of a quoted value that goes on behind what it was given.
_CUT_OFF = "unexpected end of data"


class CsvRows:
    """One file in UTF-8 whose first line names the columns, parted by commas, semicolons or tabs."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._collector = RowCollector()
        self._held = ""  # text behind the last whole record
        self._lines = 0  # of the file, before what is held
        self._names: list[str] | None = None
        self._delimiter = ","

    def feed(self, piece: bytes) -> None:
        """Take the next piece. A record is held until it is whole; the reader's own limit bounds how long it may be.

        Raises:
            ProblemError: `validation_failed`: this is no table of accounts, or too long a one.
        """
        text = self._held + self._decode(piece)
        # A carriage return at the end may be half of a line's end.
        cut = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
        self._held = self._read(text[:cut], final=False) + text[cut:]

    def finish(self) -> list[AccountRow]:
        """The rows of the whole file.

        Raises:
            ProblemError: `validation_failed`, with line, field, code and message of every fault.
        """
        self._read(self._held + self._decode(b"", final=True), final=True)
        if self._names is None:
            self._names = _check_header([])
        return self._collector.finish()

    def _decode(self, piece: bytes, *, final: bool = False) -> str:
        try:
            return self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            before = self._held.count("\n") + error.object.count(b"\n", 0, error.start)
            message = "The file is not UTF-8; save it as CSV UTF-8."
            raise _refused("invalid_text", message, line=self._lines + before + 1) from error

    def _read(self, text: str, *, final: bool) -> str:
        """Read whole records; gives back the text of one that is cut off."""
        lines = list(io.StringIO(text, newline=""))
        if lines and self._names is None:
            self._delimiter = max(_DELIMITERS, key=lines[0].count)
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        begin = 0
        try:
            for values in reader:
                # A quoted value may hold line breaks; the line where the record begins is the one people look for.
                self._take(self._lines + begin + 1, values)
                begin = reader.line_num
        except csv.Error as error:
            if final or str(error) != _CUT_OFF:
                message = f"From here the file is no CSV: {error}."
                raise _refused("malformed_csv", message, line=self._lines + reader.line_num) from error
        self._lines += begin
        return "".join(lines[begin:])

    def _take(self, number: int, values: list[str]) -> None:
        if self._names is None:
            self._names = _check_header(values)
        elif values and len(values) != len(self._names):
            message = f"The line has {len(values)} values; the first line names {len(self._names)} columns."
            self._collector.refuse(row_fault("", "wrong_column_count", message, line=number))
        elif values:  # an empty line is no account
            self._collector.add(number, dict(zip(self._names, values, strict=True)))


def _check_header(values: list[str]) -> list[str]:
    names = [name.strip() for name in values]
    if len(names) > _COLUMNS_MAX:
        message = f"The first line names {len(names)} columns; known are: {', '.join(FIELDS)}."
        raise _refused("wrong_column_count", message, line=1)
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


def _refused(code: str, message: str, *, line: int) -> ProblemError:
    return import_problem([row_fault("", code, message, line=line)])
