"""The suite of schedules: how long after their due time ten thousand of them are made, and then distributed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.bench import Case
from benchmarks.schedules.due import instant, spread

CASES: Mapping[str, Case] = MappingProxyType({"spread": spread, "instant": instant})

__all__ = ["CASES"]
