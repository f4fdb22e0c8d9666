"""Single flight: callers who want the same thing at the same time share one load."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(kw_only=True)
class _Load(Generic[T]):
    version: Hashable  # only callers who saw the same version may share it
    finished: int | None = None  # tick at which it ended
    task: asyncio.Task[T] = field(init=False)


@dataclass(kw_only=True)
class _Gate(Generic[T]):
    callers: int = 0
    load: _Load[T] | None = None  # the latest; older ones live on in those who wait for them

    @property
    def idle(self) -> bool:
        return not self.callers and (self.load is None or self.load.finished is not None)


@dataclass(frozen=True, kw_only=True)
class Caller(Generic[T]):
    """One caller on its way. What it saw is its version; who saw the same shares a load with it."""

    _flights: SingleFlight[T]
    _name: str
    _arrived: int

    async def share(self, version: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """The result of the load under way for this version, or of a new one.

        A load that ended while this caller was still on its way counts as under way. A caller who is cancelled leaves
        the load running for the others; its error reaches all of them.
        """
        return await asyncio.shield(self._flights.board(self._name, version, load, arrived=self._arrived))


class SingleFlight(Generic[T]):
    """Loads under way, by name. Holds nothing for a name that nobody waits for and nothing loads."""

    def __init__(self) -> None:
        self._gates: dict[str, _Gate[T]] = {}
        self._ticks = itertools.count(1)
        self._tasks: set[asyncio.Task[T]] = set()

    def __len__(self) -> int:
        return len(self._gates)

    @contextmanager
    def caller(self, name: str) -> Iterator[Caller[T]]:
        """Announce a caller before it looks whether it must load, so that it can share a load that ends meanwhile."""
        gate = self._gates.setdefault(name, _Gate())
        gate.callers += 1
        try:
            yield Caller(_flights=self, _name=name, _arrived=next(self._ticks))
        finally:
            gate.callers -= 1
            self._tidy(name)

    def board(self, name: str, version: Hashable, load: Callable[[], Awaitable[T]], *, arrived: int) -> asyncio.Task[T]:
        """The task to wait for."""
        gate = self._gates[name]
        if gate.load is None or gate.load.version != version or (gate.load.finished or arrived) < arrived:
            gate.load = self._start(name, version, load)
        return gate.load.task

    async def close(self) -> None:
        """Cancel every load under way and wait until they are gone."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, name: str, version: Hashable, load: Callable[[], Awaitable[T]]) -> _Load[T]:
        flight: _Load[T] = _Load(version=version)
        flight.task = asyncio.create_task(self._run(flight, load))
        self._tasks.add(flight.task)
        flight.task.add_done_callback(lambda task: self._ended(name, flight, task))
        return flight

    async def _run(self, flight: _Load[T], load: Callable[[], Awaitable[T]]) -> T:
        try:
            return await load()
        finally:
            flight.finished = next(self._ticks)

    def _ended(self, name: str, flight: _Load[T], task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        flight.finished = flight.finished or next(self._ticks)  # a task cancelled before its first step never ran
        if not task.cancelled():
            task.exception()  # seen, even if every caller has gone
        self._tidy(name)

    def _tidy(self, name: str) -> None:
        gate = self._gates.get(name)
        if gate is not None and gate.idle:
            del self._gates[name]
