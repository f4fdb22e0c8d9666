"""What a run leaves: a table for people, JSON for everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.rows import Row

_WIDTH = 140  # where there is no terminal to say its own


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run of a suite."""

    machine: Mapping[str, Any]
    settings: Mapping[str, Mapping[str, str]]  # case -> subject -> what it was measured with
    rows: Sequence[Row]  # as measured
    ratios: Sequence[Row]  # computed from them
    failures: Sequence[str]  # cases without figures, and why


def write_json(path: Path, result: Result) -> None:
    """Write machine, settings and all rows, ratios included, with every single run."""
    found = {
        "machine": result.machine,
        "settings": result.settings,
        "rows": [asdict(row) for row in (*result.rows, *result.ratios)],
        "failures": list(result.failures),
    }
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def print_result(result: Result) -> None:
    """Print figures, ratios and where they come from on standard output."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    if result.rows:
        console.print(_figures(result))
    if result.ratios:
        console.print(_ratios(result.ratios))
    console.print(", ".join(f"{name} {value}" for name, value in _flat(result.machine).items()), soft_wrap=True)
    for failure in result.failures:
        console.print(f"No figures: {failure}", soft_wrap=True)


def _figures(result: Result) -> Table:
    table = Table("case", "subject", "metric", title="figures (median of the runs)", title_justify="left")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("runs", justify="right")
    table.add_column("settings")
    for row in result.rows:
        settings = result.settings.get(row.case, {}).get(row.subject, "")
        table.add_row(row.case, row.subject, row.metric, _number(row.value), row.unit, _runs(row), settings)
    return table


def _ratios(ratios: Sequence[Row]) -> Table:
    table = Table("case", "subject", "ratio", title="ratios of this run", title_justify="left")
    table.add_column("value", justify="right")
    table.add_column("runs", justify="right")
    for row in ratios:
        table.add_row(row.case, row.subject, row.metric, f"{row.value:.2f} x", _runs(row))
    return table


def _runs(row: Row) -> str:
    return " ".join(_number(value) for value in row.runs)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - enough digits from here on


def _flat(machine: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: value for name, value in machine.items() if name != "packages"}
    return facts | dict(machine.get("packages", {}))
