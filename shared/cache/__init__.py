"""Cached reads that are never stale after an invalidation, and a Redis that may die at any time.

    accounts = await cache.get_or_set(
        cache.key(CacheNamespace.ACCOUNTS_LIST, user_id, "active"), load_accounts, CacheTTL.MEDIUM
    )

A key begins with the ids of its owners, and by its namespace it knows the generations that void it: the root's, its
user's, and its account's or (lists, groups, swarm) that of all its user's accounts. `invalidate_user` and
`invalidate_account` renew those.
"""

from __future__ import annotations

from shared.cache.connection import CONNECT_S, OPERATION_S, connect_redis
from shared.cache.errors import CacheAwayError, CacheKeyError, CacheSweepError, CacheValueError
from shared.cache.flight import SingleFlight
from shared.cache.keys import CacheKey, CacheNamespace, CacheTTL
from shared.cache.look import CacheResult
from shared.cache.opening import open_cache
from shared.cache.patience import Patience
from shared.cache.service import CacheService

__all__ = [
    "CONNECT_S",
    "OPERATION_S",
    "CacheAwayError",
    "CacheKey",
    "CacheKeyError",
    "CacheNamespace",
    "CacheResult",
    "CacheService",
    "CacheSweepError",
    "CacheTTL",
    "CacheValueError",
    "Patience",
    "SingleFlight",
    "connect_redis",
    "open_cache",
]
