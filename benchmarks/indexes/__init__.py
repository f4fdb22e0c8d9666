"""The suite of the indexes: what they save queries, and what they cost writes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.bench import Case
from benchmarks.indexes.large_database import large_database
from benchmarks.indexes.queries import queries
from benchmarks.indexes.writes import writes

CASES: Mapping[str, Case] = MappingProxyType({"queries": queries, "writes": writes})

__all__ = ["CASES", "large_database"]
