"""Running together, or alone: what may have killed a worker must not take its neighbours along a second time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Any number run together; one that runs alone waits for them, and keeps new ones waiting."""

    def __init__(self) -> None:
        """Begin open."""
        self._together = 0
        self._want_alone = 0
        self._turn = asyncio.Lock()
        self._open = asyncio.Event()
        self._open.set()
        self._empty = asyncio.Event()
        self._empty.set()

    async def enter(self) -> None:
        """Begin to run beside others, once nobody runs alone or waits for it. `leave` must follow."""
        while not self._open.is_set():
            await self._open.wait()
        self._together += 1
        self._empty.clear()

    def leave(self) -> None:
        """End what `enter` began."""
        self._together -= 1
        if self._together == 0:
            self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Run once all that run now have ended, with nobody beside."""
        self._want_alone += 1
        self._open.clear()
        try:
            async with self._turn:
                await self._empty.wait()
                yield
        finally:
            self._want_alone -= 1
            if self._want_alone == 0:
                self._open.set()
