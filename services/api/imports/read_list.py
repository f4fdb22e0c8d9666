"""Reading an import that is a JSON list."""

from __future__ import annotations

from typing import TypeAlias

from services.api.http import decode_json
from services.api.imports.collect_rows import RowCollector
from shared.accounts.imports import AccountRow

# Nothing is nested deeper: millions of little lists would hold up the whole process while they are read.
_Scalar: TypeAlias = str | int | float | bool | None
_Row: TypeAlias = dict[str, _Scalar | list[_Scalar]]


def read_list(content: bytes) -> list[AccountRow]:
    """The rows of a JSON list; `line` is the place in the list, from 1.

    Raises:
        ProblemError: `malformed_json`, or `validation_failed` with line, field, code and message of every fault.
    """
    collector = RowCollector()
    for number, raw in enumerate(decode_json(content, list[_Row]), start=1):
        collector.add(number, raw)
    return collector.finish()
