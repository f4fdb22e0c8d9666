"""The suite of the gateway: reads beside bare handlers, a mixed load on a large database, bulk requests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.api.bulk import bulk
from benchmarks.api.mixed import mixed
from benchmarks.api.reads import list_hit, list_miss
from benchmarks.bench import Case

CASES: Mapping[str, Case] = MappingProxyType(
    {"list-hit": list_hit, "list-miss": list_miss, "mixed": mixed, "bulk": bulk}
)

__all__ = ["CASES"]
