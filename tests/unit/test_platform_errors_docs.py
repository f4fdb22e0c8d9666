"""docs/platform-errors.md says what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from shared.instagram import RULES, ErrorClass
from shared.instagram.errors_page import errors_page

PAGE = (Path(__file__).parents[2] / "docs" / "platform-errors.md").read_text(encoding="utf-8")


def test_the_tables_are_the_code_s_own():
    """The page shows what `python -m shared.instagram` prints; paste its output there after a change."""
    shown = re.search(r"<!-- errors: begin -->\n(.*)\n<!-- errors: end -->", PAGE, re.DOTALL)

    assert shown is not None
    assert shown[1] == errors_page()


def test_every_row_and_every_class_is_shown():
    """No rule is left out of the tables."""
    pairs = re.findall(r"^\| (-?\d+|any) \| (\d+|any) \|", PAGE, re.MULTILINE)
    said = [tuple(None if part == "any" else int(part) for part in pair) for pair in pairs]

    assert sorted(map(str, said)) == sorted(str((rule.code, rule.subcode)) for rule in RULES)
    assert {f"`{error_class}`" for error_class in ErrorClass} <= set(re.findall(r"`[a-z_]+`", PAGE))
