from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from shared.settings import Settings, settings_table

CHECKOUT = Path(__file__).parents[2]


def test_the_table_of_settings_is_the_code_s_own():
    """docs/configuration.md shows what `python -m shared.settings` prints; paste its output there after a change."""
    text = (CHECKOUT / "docs" / "configuration.md").read_text(encoding="utf-8")

    shown = re.search(r"<!-- settings: begin[^\n]*-->\n(.*)\n<!-- settings: end -->", text, re.DOTALL)

    assert shown is not None
    assert shown[1] == settings_table()


def example_entries():
    """(doc, commented out?, name, value) of every entry of .env.example."""
    text = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
    return re.findall(r"(?:^# ([^\n=]+)\n)?^(#?)(\w+)=(.*)$", text, re.MULTILINE)


def test_the_example_names_exactly_the_settings():
    """.env.example has every setting once, in the code's order, and nothing else."""
    assert [name for _, _, name, _ in example_entries()] == [item.name.upper() for item in fields(Settings)]


@pytest.mark.parametrize("item", fields(Settings), ids=lambda item: item.name)
def test_the_example_explains_a_setting(item):
    """An entry of .env.example tells what the setting does and its default; one without any waits to be filled."""
    doc, commented, _, value = next(entry for entry in example_entries() if entry[2] == item.name.upper())

    assert doc == item.metadata["doc"]
    if item.default is MISSING:
        assert (commented, value) == ("", "")
    else:
        assert (commented, value) == ("#", "" if item.default is None else str(item.default))
