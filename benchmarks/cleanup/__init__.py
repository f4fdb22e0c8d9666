"""The suite of the cleanup: what the archive does for the queries of the table that is written most."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.bench import Case
from benchmarks.cleanup.archive import archive
from benchmarks.cleanup.plans import plans

# The plans are those of a table that nothing was taken from yet: that is harder.
CASES: Mapping[str, Case] = MappingProxyType({"plans": plans, "archive": archive})

__all__ = ["CASES"]
