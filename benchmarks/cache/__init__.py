"""The suite of the cache: each case by its name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.bench import Case
from benchmarks.cache.hit_rate import hit_rate
from benchmarks.cache.hits import hits
from benchmarks.cache.invalidate import invalidate
from benchmarks.cache.outage import outage
from benchmarks.cache.race import race
from benchmarks.cache.stampede import stampede
from benchmarks.cache.subjects import SUBJECTS

CASES: Mapping[str, Case] = MappingProxyType(
    {
        "hits": hits,
        "hit_rate": hit_rate,
        "stampede": stampede,
        "race": race,
        "outage": outage,
        "invalidate": invalidate,
    }
)

__all__ = ["CASES", "SUBJECTS"]
