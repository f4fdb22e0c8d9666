"""The statements that the runbooks tell operators to type."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg
import pytest

_RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
_FENCED = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
_IN_A_LINE = re.compile(r"`((?:SELECT|UPDATE) [^`]*(?:;|\.\.\.))`")


def statements():
    """Every statement with its page; what stands for a value is given one."""
    found = []
    for page in sorted(_RUNBOOKS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        fenced = [one for block in _FENCED.findall(text) for one in block.split(";")]
        typed = [one.strip().rstrip(";") for one in [*fenced, *_IN_A_LINE.findall(text)]]
        found += [(page.stem, one.replace("...", "NULL").replace("PID", "-1")) for one in typed if one]
    return found


@pytest.mark.parametrize(("page", "statement"), statements(), ids=lambda value: value[:40])
async def test_the_database_understands_what_a_page_tells_to_ask(page, statement, module_database_url):
    """Whoever copies a statement of a runbook at night gets an answer, not an error."""
    connection = await asyncpg.connect(module_database_url)
    try:
        rows = await connection.fetch(statement)
    finally:
        await connection.close()

    assert rows is not None, page
