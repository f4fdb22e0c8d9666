"""docs/database.md says what the code has."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from shared.database import POOL_CONFIG
from shared.database.catalogue.tables import catalogue_tables

PAGE = (Path(__file__).parents[2] / "docs" / "database.md").read_text(encoding="utf-8")


def test_the_catalogue_is_the_code_s_own():
    """The page shows what `python -m shared.database.catalogue` prints; paste its output there after a change."""
    shown = re.search(r"<!-- catalogue: begin[^\n]*-->\n(.*)\n<!-- catalogue: end -->", PAGE, re.DOTALL)

    assert shown is not None
    assert shown[1] == catalogue_tables()


def test_the_values_of_the_pool_are_the_code_s_own():
    """Every value is explained, in the unit its reader thinks in."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)", PAGE, re.MULTILINE)

    values: dict[str, float] = asdict(POOL_CONFIG)
    told = {name: float(value.replace(",", "")) for name, value in rows}
    assert told == {name: value / 1000 if name.endswith("_ms") else value for name, value in values.items()}
