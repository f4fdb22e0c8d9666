"""Runs a set of parts: each after those it needs, stopped in the reverse order, all together or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from deploy.local.keeper import Keeper, Reporter
from deploy.local.log_stream import Log
from deploy.local.part import Part
from deploy.local.patience import Patience
from shared.errors import NotReadyError


class Supervisor:
    """Keeps `parts` running. Use: `await start()`, then `await wait()`, and always `await stop()`."""

    def __init__(self, parts: Sequence[Part], *, log: Log, report: Reporter, patience: Patience) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._keepers: dict[str, Keeper] = {}
        for part in parts:  # a part comes after those it needs; needs outside this set are somebody else's
            needs = [self._keepers[name] for name in part.needs if name in self._keepers]
            self._keepers[part.name] = Keeper(part, needs=needs, log=log, report=report, patience=patience)

    def keeper(self, name: str) -> Keeper:
        """The keeper of the part `name`; KeyError if this set has none."""
        return self._keepers[name]

    async def start(self) -> None:
        """Start everything and wait until it is ready.

        Raises:
            PartFailedError: a part cannot run; stop the rest.
        """
        self._tasks = [keeper.start() for keeper in self._keepers.values()]
        await self.wait_ready()

    async def wait_ready(self, *, deadline_s: float | None = None) -> None:
        """Wait until every part is ready at the same time as far as one can see.

        Raises:
            PartFailedError: a part cannot be kept running.
            NotReadyError: `deadline_s` has passed; the text names the parts that are missing.
        """
        ready = asyncio.create_task(self._all_ready())
        failed = asyncio.create_task(self.wait())
        try:
            await asyncio.wait([ready, failed], timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                failed.result()
            if not ready.done():
                missing = [name for name, keeper in self._keepers.items() if not keeper.ready.is_set()]
                raise NotReadyError(f"Not ready after {deadline_s} s: {', '.join(missing)}")
        finally:
            ready.cancel()
            failed.cancel()
            await asyncio.wait([ready, failed])

    async def wait(self) -> None:
        """Wait for trouble.

        Raises:
            PartFailedError: a part cannot be kept running; stop the rest.
        """
        pending = set(self._tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled():
                    task.result()
        await asyncio.get_running_loop().create_future()

    async def stop(self) -> None:
        """Stop everything, each part after those that need it; returns when every process has ended."""
        stops: dict[str, asyncio.Task[None]] = {}
        for name, keeper in reversed(self._keepers.items()):
            users = [stops[user] for user in stops if name in self._keepers[user].part.needs]
            stops[name] = asyncio.create_task(_stop_after(users, keeper))
        await asyncio.gather(*stops.values())

    def hurry(self) -> None:
        """Kill what has not stopped yet."""
        for keeper in self._keepers.values():
            keeper.hurry()

    async def _all_ready(self) -> None:
        while not all(keeper.ready.is_set() for keeper in self._keepers.values()):
            for keeper in self._keepers.values():
                await keeper.ready.wait()


async def _stop_after(users: Sequence[asyncio.Task[None]], keeper: Keeper) -> None:
    if users:
        await asyncio.wait(users)
    await keeper.stop()
