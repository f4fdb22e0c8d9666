"""The suite of publishing: each case by its name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.bench import Case
from benchmarks.publishing.burst import burst
from benchmarks.publishing.overhead import overhead

CASES: Mapping[str, Case] = MappingProxyType({"overhead": overhead, "burst": burst})

__all__ = ["CASES"]
