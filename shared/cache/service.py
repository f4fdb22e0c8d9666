"""The cache: values from Redis while it is there, from their loaders when it is not, and none that was invalidated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from shared.cache import generations, keys
from shared.cache.batch import ReadBatcher
from shared.cache.breaker import Breaker
from shared.cache.envelope import pack, unpack
from shared.cache.errors import CacheValueError
from shared.cache.fill import Filled, Filler, Loader, Wish, holds_place
from shared.cache.flight import SingleFlight
from shared.cache.keys import ROOT_GENERATION, CacheKey, CacheNamespace, Part
from shared.cache.lease import Leases
from shared.cache.look import CacheResult, Look
from shared.cache.refresh import Refresher
from shared.cache.shelf import Shelf

_SERVED = (CacheResult.HIT, CacheResult.NEGATIVE, CacheResult.STALE)  # from Redis


class CacheService:
    """Cached values of one process. Share one instance; `close` it before its Redis client.

    Values are plain data (dicts, lists, texts, numbers, times, None) and come back as such whether loaded or cached:
    UUIDs as text, tuples as lists, each caller with a copy of its own. `None` is a value too, cached briefly.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        observe: Callable[[CacheNamespace, CacheResult], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wire the cache; nothing is sent yet.

        Args:
            redis: a client with deadlines, from `connect_redis`.
            observe: told of each read's result, for metrics.
            clock: monotonic seconds.
        """
        void_all = partial(generations.renew, redis, names=[ROOT_GENERATION])
        self._observe = observe
        self._breaker = Breaker(ping=redis.ping, void_all=void_all, clock=clock)
        self._reads = ReadBatcher(redis, breaker=self._breaker)
        self._shelf = Shelf(redis, breaker=self._breaker, clock=clock)
        self._filler = Filler(reads=self._reads, leases=Leases(redis, breaker=self._breaker))
        self._flights: SingleFlight[Filled] = SingleFlight()
        self._refresher = Refresher()
        self._changing: set[asyncio.Task[None]] = set()
        self._changes = 0

    @staticmethod
    def key(namespace: CacheNamespace, *parts: Part) -> CacheKey:
        """The key of a value: `key(CacheNamespace.ACCOUNTS_LIST, user_id, "active")`.

        Raises:
            CacheKeyError: the owners' ids do not come first, or a part has another type. Correct the call.
        """
        return keys.cache_key(namespace, *parts)

    async def get_or_set(self, key: CacheKey, loader: Loader, ttl: int) -> Any:
        """The cached value, or what `loader` returns, cached for at most `ttl` seconds.

        Callers who ask at the same time share one load, also with those of other processes, for whom they wait 2 s at
        most. A load goes on when its caller is cancelled, and a value that many ask for is loaded again in the
        background shortly before its TTL ends, so a loader needs a deadline of its own and must not depend on its
        caller. It says "there is none" by returning None: if it raises, a value whose TTL is over may be served for a
        while. Once an invalidation has returned, nothing loaded before it is served, whoever began when. While Redis is
        away every value is loaded, at most 16 different ones at a time.

        Raises:
            Exception: whatever the loader raised, to everyone who shared it. Nothing was cached.
            CacheValueError: the loader returned no plain data. Correct the loader.
        """
        look = await self._reads.look(key)
        payload, result = look.payload, look.result
        if look.due:
            self._refresher.start(key.text, partial(self._filler.refresh, Wish(key=key, loader=loader, ttl=ttl), look))
        if payload is None or not look.fresh:
            payload, result = await self._fill(Wish(key=key, loader=loader, ttl=ttl), look)
        try:
            value = unpack(payload)
        except CacheValueError:
            if result not in _SERVED:
                raise
            value, result = await self._load_over(Wish(key=key, loader=loader, ttl=ttl), look), CacheResult.ERROR
        self._observe(key.namespace, result)
        return value

    async def get(self, key: CacheKey, default: Any = None) -> Any:
        """The cached value, else `default`. A cached None is None: pass another default to tell it from a miss."""
        look = await self._reads.look(key)
        value, result = default, look.result
        if look.fresh and look.payload is not None:
            try:
                value = unpack(look.payload)
            except CacheValueError:
                result = CacheResult.ERROR
        self._observe(key.namespace, result)
        return value

    async def set(self, key: CacheKey, value: Any, ttl: int) -> None:
        """Cache a value for at most `ttl` seconds.

        It counts as loaded now. If the data may have changed since it was read, use `get_or_set`, which notices.

        Raises:
            CacheValueError: the value is no plain data. Correct the call.
        """
        await self._finish(self._shelf.replace(key, pack(value), ttl=ttl))

    async def delete(self, *cached: CacheKey) -> None:
        """Drop values to free their room. A load under way may store one again: after a write, invalidate instead."""
        await self._finish(self._shelf.drop(cached))

    async def del_pattern(self, pattern: str) -> int:
        """Drop what matches, for instance `accounts:list:*`; returns how many. For operators: it walks all of Redis.

        Raises:
            CacheKeyError: the pattern does not begin with a namespace and a colon. Name one.
            CacheAwayError: Redis is away; some may have been dropped. Call again when it is back.
            CacheSweepError: a minute was not enough; some were dropped. Call again.
        """
        return await self._shelf.drop_matching(pattern)

    async def invalidate_user(self, user_id: UUID | str) -> None:
        """Void everything cached of a user. Call it after the commit of the change.

        It does not fail: what Redis cannot be told now is made good before anything is read from it again.
        """
        await self._finish(self._shelf.renew(keys.user_generations(user_id)))

    async def invalidate_account(self, account_id: UUID | str, *, user_id: UUID | str | None = None) -> None:
        """Void everything cached of an account and its user's lists, groups and swarm. Call it after the commit.

        Without `user_id` nobody knows whose lists hold the account, so every user's values are voided: correct, but
        dear. It does not fail, like `invalidate_user`.
        """
        await self._finish(self._shelf.renew(keys.account_generations(account_id, user_id=user_id)))

    async def close(self) -> None:
        """Stop loads under way; let changes finish, which is a matter of their deadlines."""
        await asyncio.gather(*self._changing, return_exceptions=True)
        await self._reads.close()  # first, since who reads may begin to load
        await self._refresher.close()
        await self._flights.close()
        await self._breaker.close()

    async def _fill(self, wish: Wish, look: Look) -> tuple[bytes, CacheResult]:
        # Those who saw the same generations may share a load. When Redis does not tell them, it must be one that began
        # after this process's own last change.
        # A load that holds a place shares only with its like: another's load may be waiting for that very place.
        version = look.generations or self._changes
        name = (wish.key.text, version, holds_place())
        filled = await self._flights.share(name, partial(self._filler.fill, wish, look))
        return filled.payload, filled.result

    async def _load_over(self, wish: Wish, look: Look) -> Any:
        # Damaged in Redis: as long as it lies there, whoever is about to load would be given it instead.
        await self.delete(wish.key)
        payload, _ = await self._fill(wish, Look(result=CacheResult.ERROR, generations=look.generations))
        return unpack(payload)

    async def _finish(self, change: Coroutine[Any, Any, None]) -> None:
        # In a task of its own: a request that is cancelled half-way must not leave Redis with what it was to void.
        self._changes += 1
        task = asyncio.create_task(change)
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)
        await asyncio.shield(task)
