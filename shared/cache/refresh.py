"""Loads in the background, so that a value that is asked for often is new before its TTL ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

_REFRESHES_MAX = 8


class Refresher:
    """Runs one refresh of a name at a time, and 8 in all; more than that are left to later readers."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def start(self, name: str, refresh: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin a refresh, unless it runs already or too many do. It tells of its own failures."""
        if name in self._running or len(self._running) >= _REFRESHES_MAX:
            return
        task = self._running[name] = asyncio.create_task(refresh())
        task.add_done_callback(lambda _: self._running.pop(name))

    async def close(self) -> None:
        """Cancel what runs, and wait until it is gone."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
