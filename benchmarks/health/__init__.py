"""The suite of health: what it costs to ask for accounts, to judge them, and to see them together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.bench import Case
from benchmarks.health.rescore import rescore
from benchmarks.health.round import full_round
from benchmarks.health.swarm import swarm

CASES: Mapping[str, Case] = MappingProxyType({"rescore": rescore, "round": full_round, "swarm": swarm})

__all__ = ["CASES"]
