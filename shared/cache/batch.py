"""Reads of one turn of the loop share one round trip."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import cast

from redis.asyncio import Redis

from shared.cache import generations
from shared.cache.breaker import Breaker
from shared.cache.errors import CacheAwayError
from shared.cache.keys import CacheKey
from shared.cache.line import Line
from shared.cache.look import CacheResult, Look, judge

_BYPASSED = Look(result=CacheResult.BYPASS)
_UNTOLD = Look(result=CacheResult.ERROR)  # something else lies under the name of a generation, and it cannot be made
_KEYS_MAX = 128  # in one command, so that no answer is so long that others wait for it
_KEYS_FEW = 16  # as many of the largest values arrive in time


@dataclass(kw_only=True, slots=True)
class _Ask:
    key: CacheKey
    waiting: list[asyncio.Future[Look]] = field(default_factory=list)  # one each: who is cancelled harms nobody else

    def answer(self, look: Look) -> None:
        for future in self.waiting:
            if not future.done():
                future.set_result(look)

    def fail(self, error: BaseException) -> None:
        for future in self.waiting:
            if not future.done():
                future.set_exception(error)

    def cancel(self) -> None:
        for future in self.waiting:
            future.cancel()


class ReadBatcher:
    """Collects the keys that are looked at, and asks for all of them at once when everybody has had a turn.

    One command is under way at a time. What is asked meanwhile goes into the next one, never into the answer of one
    that was sent before: a caller who comes after an invalidation does not see what Redis held before it.
    """

    def __init__(self, redis: Redis, *, breaker: Breaker) -> None:
        """Wire it; nothing is sent yet."""
        self._redis = redis
        self._breaker = breaker
        self._line = Line(redis)
        self._asked: dict[str, _Ask] = {}
        self._sender: asyncio.Task[None] | None = None
        self._keys_most = _KEYS_MAX
        self._closed = False

    def look(self, key: CacheKey) -> asyncio.Future[Look]:
        """What Redis holds for a key; never fails because Redis does."""
        future: asyncio.Future[Look] = asyncio.get_running_loop().create_future()
        if self._closed or not self._breaker.admits():
            future.set_result(_BYPASSED)
            return future
        ask = self._asked.get(key.text)
        if ask is None:
            ask = self._asked[key.text] = _Ask(key=key)
            if self._sender is None:
                # Its first step comes after everything that is ready to run now.
                self._sender = asyncio.create_task(self._send())
        ask.waiting.append(future)
        return future

    async def close(self) -> None:
        """Hang up; who still waits is cancelled, and who comes later is not kept waiting."""
        self._closed = True
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait({self._sender})
        for ask in self._asked.values():
            ask.cancel()
        self._asked.clear()
        await self._line.close()

    async def _send(self) -> None:
        try:
            while self._asked:
                await self._answer(self._take())
        finally:
            self._sender = None

    def _take(self) -> list[_Ask]:
        return [self._asked.pop(text) for text in list(islice(self._asked, self._keys_most))]

    async def _answer(self, asks: list[_Ask]) -> None:
        try:
            await self._read(asks)
            if len(asks) == self._keys_most:
                self._keys_most = min(_KEYS_MAX, self._keys_most + 1)
        except CacheAwayError as error:
            if error.tried:  # many large values in one answer would be late each time, and so would those beside them
                self._keys_most = max(_KEYS_FEW, self._keys_most // 2)
            away = Look(result=CacheResult.ERROR) if error.tried else _BYPASSED
            for ask in asks:
                ask.answer(away)
        except asyncio.CancelledError:
            for ask in asks:
                ask.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - a defect, for those who asked
            for ask in asks:
                ask.fail(error)

    async def _read(self, asks: list[_Ask]) -> None:
        names = list(dict.fromkeys(chain.from_iterable([(ask.key.text, *ask.key.generations) for ask in asks])))
        values = await self._breaker.guard(partial(self._line.mget, names))
        found = dict(zip(names, values, strict=True))
        now = time.time()
        lacking = [ask for ask in asks if not _answered(ask, found, now=now)]
        if lacking:
            # Two who saw no generation did not see the same one, so it is made before anybody goes on.
            missing = list(dict.fromkeys(name for ask in lacking for name in ask.key.generations if not found[name]))
            found |= await self._breaker.run(partial(generations.complete, self._redis, names=missing))
            for ask in lacking:
                if not _answered(ask, found, now=now):
                    ask.answer(_UNTOLD)


def _answered(ask: _Ask, found: dict[str, bytes | None], *, now: float) -> bool:
    seen = tuple([found[name] for name in ask.key.generations])
    if None in seen:
        return False
    ask.answer(judge(found[ask.key.text], generations=cast("tuple[bytes, ...]", seen), now=now))
    return True
