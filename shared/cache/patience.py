"""Waiting for an operation so long and no longer, without cutting it short."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")
_TURNS = 10  # a loop that was late for its own timer may be late for the answer too: what has come is still read


class Patience:
    """Leaves what takes too long to itself: a connection whose handshake is cut short is no good to the next caller."""

    def __init__(self) -> None:
        self._running: set[asyncio.Future[Any]] = set()

    async def wait(self, operation: Callable[[], Awaitable[T]], *, seconds: float) -> T:
        """The operation's result.

        Raises:
            TimeoutError: it has not ended yet, and goes on for as long as its own deadlines let it.
        """
        running = asyncio.ensure_future(operation())
        self._running.add(running)
        running.add_done_callback(self._ended)
        await asyncio.wait({running}, timeout=seconds)
        for _ in range(_TURNS):
            if running.done():
                break
            await asyncio.sleep(0)
        if not running.done():
            raise TimeoutError(f"no answer within {seconds * 1000:g} ms")
        return running.result()

    async def close(self) -> None:
        """Cancel what still runs, and wait until it is gone."""
        running = list(self._running)
        for future in running:
            future.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, future: asyncio.Future[Any]) -> None:
        self._running.discard(future)
        if not future.cancelled():
            future.exception()  # seen, even if nobody waits any more
