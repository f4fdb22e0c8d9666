"""Filters of lists, as SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def filtered(sql: str, *args: Any, clauses: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """`sql` with an `AND` for each clause whose value is given; `{}` in a clause stands for its parameter."""
    parts, values = [sql], list(args)
    for clause, value in clauses.items():
        if value is not None:
            values.append(value)
            parts.append(f"AND {clause.format(f'${len(values)}')}")
    return "\n".join(parts), values
