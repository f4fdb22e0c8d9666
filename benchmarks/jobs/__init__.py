"""The suite of the job engine: each case by its name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.bench import Case
from benchmarks.jobs.drain import drain, drain_on_all_cores
from benchmarks.jobs.enqueue import enqueue
from benchmarks.jobs.memory import memory
from benchmarks.jobs.priority import priority
from benchmarks.jobs.relay import relay
from benchmarks.jobs.retry import retry
from benchmarks.jobs.wait import wait

CASES: Mapping[str, Case] = MappingProxyType(
    {
        "enqueue": enqueue,
        "drain": drain,
        "all-cores": drain_on_all_cores,
        "wait": wait,
        "priority": priority,
        "retry": retry,
        "relay": relay,
        "memory": memory,
    }
)

__all__ = ["CASES"]
