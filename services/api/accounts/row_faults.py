"""What is wrong with rows of accounts, as clients are told it: at most so much, and how much more there is."""

from __future__ import annotations

from collections.abc import Sequence

from services.api.http import Fault, ProblemError
from shared.accounts.imports import RowFault

#: Faults in one answer.
FAULTS_TOLD = 1_000


def row_fault(field: str, code: str, message: str, *, line: int | None) -> RowFault:
    """A fault of one field of one row."""
    return RowFault(field=field, code=code, message=message, line=line)


def present_fault(fault: RowFault) -> Fault:
    """A fault as clients see it: of a file by line and field, of a single account by its path."""
    if fault.line is None:
        return Fault(path=fault.field, code=fault.code, message=fault.message)
    return Fault(line=fault.line, field=fault.field, code=fault.code, message=fault.message)


def import_problem(faults: Sequence[RowFault], *, untold: int = 0, lines: int | None = None) -> ProblemError:
    """The problem of rows that were refused as a whole.

    Args:
        faults: in the order of the rows; the first `FAULTS_TOLD` are told.
        untold: how many more there are than these.
        lines: how many lines have faults; None: those of `faults`.
    """
    if not untold and all(fault.line is None for fault in faults):
        detail = "The account cannot be added as described."
    else:
        count = len({fault.line for fault in faults}) if lines is None else lines
        detail = f"{count:,} line(s) have faults; nothing was imported."
    more = len(faults) + untold
    if more > FAULTS_TOLD:
        detail += f" The first {FAULTS_TOLD:,} of {more:,} faults are told."
    return ProblemError("validation_failed", detail, errors=[present_fault(fault) for fault in faults[:FAULTS_TOLD]])
