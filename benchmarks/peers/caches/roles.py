"""The main function of a process that holds a cache: the role that was ordered."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

import uvloop

from benchmarks.peers.caches.hits import hits
from benchmarks.peers.caches.invalidate import invalidate
from benchmarks.peers.caches.outage import outage
from benchmarks.peers.caches.protocol import CacheOrder, OpenCache
from benchmarks.peers.caches.race import race
from benchmarks.peers.caches.stampede import stampede
from benchmarks.peers.protocol import read_order_of

Role: TypeAlias = Callable[[CacheOrder, OpenCache], Coroutine[Any, Any, None]]

_ROLES: Mapping[str, Role] = {
    "hits": hits,
    "stampede": stampede,
    "race": race,
    "outage": outage,
    "invalidate": invalidate,
}


def run_cache(open_cache: OpenCache) -> None:
    """Do what was ordered with the caches that `open_cache` opens, on uvloop."""
    order = read_order_of(CacheOrder)
    uvloop.run(_ROLES[order.role](order, open_cache))
