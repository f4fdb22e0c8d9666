"""Who may cache what: docs/cache.md says it, and the services keep to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.cache import CacheNamespace, CacheTTL
from shared.cache.lease import LEASE_S
from shared.cache.refresh import _REFRESHES_MAX

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "cache.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([a-z:]+)` \|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$", PAGE, re.MULTILINE)
SOURCES = {
    str(path.relative_to(CHECKOUT)): path.read_text(encoding="utf-8") for path in (CHECKOUT / "services").rglob("*.py")
}


def test_the_table_has_every_namespace():
    """docs/cache.md lists each namespace once, in the code's order."""
    assert [row[0] for row in ROWS] == [namespace.value for namespace in CacheNamespace]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_namespace_is_used_where_the_table_says(row):
    """A namespace is cached for the documented time from the documented file, and nowhere else."""
    name, _, ttl, place, _ = row
    use = f"CacheNamespace.{CacheNamespace(name).name}"

    using = [path for path, text in SOURCES.items() if re.search(rf"{use}\b", text)]

    assert using == re.findall(r"`(services/[^`]+)`", place)
    if using:
        routes = SOURCES[using[0].replace("store.py", "routes.py")]
        assert re.findall(r"CacheTTL\.(\w+)", ttl)[0] in re.findall(r"CacheTTL\.(\w+)", routes)


def test_only_what_the_table_names_is_cached():
    """No service writes to the cache but through the routes of those namespaces, and nobody by `set`."""
    writes = re.compile(r"(cache\.(get_or_set|set)|return await answer_cached_page)\(")
    writing = {path for path, text in SOURCES.items() if writes.search(text)} - {"services/api/cached_pages.py"}

    rooms = {place.rpartition("/")[0] for row in ROWS for place in re.findall(r"`(services/[^`]+)`", row[3])}

    assert {path.rpartition("/")[0] for path in writing} == rooms
    assert not any(re.search(r"cache\.set\(", text) for text in SOURCES.values())


def test_the_numbers_are_the_code_s_own():
    """The lifetimes and limits that docs/cache.md promises are those of the code."""
    lifetimes = re.findall(r"`CacheTTL\.(\w+)` (\d+) s", PAGE)

    assert {name: int(seconds) for name, seconds in lifetimes} == {ttl.name: int(ttl) for ttl in CacheTTL}
    assert f"{LEASE_S:g} s (the lease)" in PAGE
    assert f"at most {_REFRESHES_MAX} at a time" in PAGE
