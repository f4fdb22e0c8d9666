"""Rows of an import as they come: each checked, with every fault counted and no more kept than is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.api.accounts.check_row import RowFaultsError, check_row
from services.api.accounts.row_faults import FAULTS_TOLD, import_problem, row_fault
from shared.accounts.imports import AccountRow, RowFault

ROWS_MAX = 10_000


class RowCollector:
    """Takes the rows of one file or list."""

    def __init__(self) -> None:
        self._rows: list[AccountRow] = []
        self._faults: list[RowFault] = []
        self._untold = 0
        self._faulty_lines = 0
        self._count = 0
        self._seen: dict[str, int] = {}

    def add(self, line: int, raw: Mapping[str, Any]) -> None:
        """Check one row.

        Raises:
            ProblemError: there are too many of them.
        """
        self._count_row(line)
        try:
            row = check_row(raw, line=line)
        except RowFaultsError as error:
            self._note(error.faults)
            return
        first = self._seen.setdefault(row.instagram_user_id, line)
        if first != line:
            message = f"The same account stands on line {first}."
            self._note([row_fault("instagram_user_id", "duplicate_row", message, line=line)])
        elif not self._faults:
            self._rows.append(row)

    def refuse(self, fault: RowFault) -> None:
        """Note a row that cannot be read. Raises as `add`."""
        self._count_row(fault.line or 1)
        self._note([fault])

    def finish(self) -> list[AccountRow]:
        """All rows, if all of them are good and there is one.

        Raises:
            ProblemError: `validation_failed`, with what is wrong.
        """
        if not self._count:
            self._note([row_fault("", "no_rows", "There is no account in it.", line=1)])
        if self._faults:
            raise import_problem(self._faults, untold=self._untold, lines=self._faulty_lines)
        return self._rows

    def _count_row(self, line: int) -> None:
        self._count += 1
        if self._count > ROWS_MAX:
            message = f"At most {ROWS_MAX:,} accounts are imported at once; divide the file."
            raise import_problem([row_fault("", "too_many_rows", message, line=line)])

    def _note(self, faults: Iterable[RowFault]) -> None:
        self._faulty_lines += 1
        self._rows.clear()
        for fault in faults:
            if len(self._faults) < FAULTS_TOLD:
                self._faults.append(fault)
            else:
                self._untold += 1
