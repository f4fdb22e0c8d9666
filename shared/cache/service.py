"""The cache: values from Redis while it is there, from their loaders when it is not, and none that was invalidated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from functools import partial
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from shared.cache import keys
from shared.cache.envelope import pack, unpack
from shared.cache.flight import SingleFlight
from shared.cache.keys import CacheKey, CacheNamespace, Part
from shared.cache.shelf import CacheResult, Shelf

Loader = Callable[[], Awaitable[Any]]

_BYPASS_LOADS_MAX = 16

_has_place: ContextVar[bool] = ContextVar("cache_load_has_place", default=False)


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
        self._observe = observe
        self._shelf = Shelf(redis, observe=observe, clock=clock)
        self._flights: SingleFlight[bytes] = SingleFlight()
        self._places = asyncio.Semaphore(_BYPASS_LOADS_MAX)
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

        Callers who ask at the same time share one load. It goes on when one of them is cancelled, so it needs a
        deadline of its own. Once an invalidation has returned, nothing loaded before it is served, whoever began when.
        While Redis is away every value is loaded, at most 16 different ones at a time.

        Raises:
            Exception: whatever the loader raised, to everyone who shared it. Nothing was cached.
            CacheValueError: the loader returned no plain data. Correct the loader.
        """
        with self._flights.caller(key.text) as caller:
            look = await self._shelf.look(key)
            payload = look.payload
            if payload is None:
                look, under = await self._shelf.prepare(key, look=look)
                version = under or ("away", self._changes)
                payload = await caller.share(version, partial(self._load, key, loader, ttl, under))
        self._observe(key.namespace, look.result)
        return unpack(payload)

    async def get(self, key: CacheKey, default: Any = None) -> Any:
        """The cached value, else `default`. A cached None is None: pass another default to tell it from a miss."""
        look = await self._shelf.look(key)
        self._observe(key.namespace, look.result)
        return default if look.payload is None else unpack(look.payload)

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
        await self._flights.close()
        await self._shelf.close()

    async def _load(self, key: CacheKey, loader: Loader, ttl: int, under: tuple[bytes, ...] | None) -> bytes:
        if under is None:
            return pack(await self._bounded(loader))
        payload = pack(await loader())
        await self._shelf.put(key, payload, ttl=ttl, loaded_under=under)
        return payload

    async def _bounded(self, loader: Loader) -> Any:
        # Without the cache every read reaches the database. A loader that itself reads through the cache keeps its one
        # place: waiting for a second while holding the first could stop all of them for good.
        if _has_place.get():
            return await loader()
        async with self._places:
            _has_place.set(True)  # for this load's own task and what it starts
            return await loader()

    async def _finish(self, change: Coroutine[Any, Any, None]) -> None:
        # In a task of its own: a request that is cancelled half-way must not leave Redis with what it was to void.
        self._changes += 1
        task = asyncio.create_task(change)
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)
        await asyncio.shield(task)
