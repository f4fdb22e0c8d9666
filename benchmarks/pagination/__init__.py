"""The suite of the pagination: a page costs the same however deep it lies."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.bench import Case
from benchmarks.pagination.pages import pages

CASES: Mapping[str, Case] = MappingProxyType({"pages": pages})

__all__ = ["CASES"]
