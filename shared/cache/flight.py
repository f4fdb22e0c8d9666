"""Single flight: callers who want the same thing at the same time share one load."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Loads under way, by name. Holds nothing for a name under which nothing loads."""

    def __init__(self) -> None:
        self._loads: dict[Hashable, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._loads)

    async def share(self, name: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """The result of the load under way with this name, or of a new one.

        A caller who is cancelled leaves the load running for the others; its error reaches all of them.

        Args:
            name: what is loaded and in which version: only callers who saw the same version may share a load.
            load: begins the load.
        """
        task = self._loads.get(name)
        if task is None:
            task = self._loads[name] = asyncio.create_task(_run(load))
            task.add_done_callback(lambda ended: self._ended(name, ended))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Cancel every load under way and wait until they are gone."""
        tasks = list(self._loads.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, name: Hashable, task: asyncio.Task[T]) -> None:
        del self._loads[name]
        if not task.cancelled():
            task.exception()  # seen, even if every caller has gone


async def _run(load: Callable[[], Awaitable[T]]) -> T:
    return await load()
