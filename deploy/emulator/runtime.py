from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from deploy.emulator.clock import Clock
from deploy.emulator.ids import Ids
from deploy.emulator.inspection import Inspector
from deploy.emulator.options import Options
from deploy.emulator.state import Account, World

_FETCHES_AT_ONCE = 64  # pictures in memory, of at most 8 MiB each


@dataclass(kw_only=True)
class Emulator:
    """What the handlers of one application share."""

    clock: Clock
    start_options: Options  # what a reset returns to
    start_accounts: Sequence[Account]  # what a reset keeps
    options: Options
    ids: Ids
    world: World
    inspector: Inspector = field(default_factory=Inspector)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _session: aiohttp.ClientSession | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The client that fetches media; opened at the first use, closed by `close`."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=_FETCHES_AT_ONCE)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def reset(self, options: Options) -> None:
        """Forget everything but the accounts of the start, and return to the present.

        Calls under way end in the world they began in.
        """
        self.options = options
        self.clock.reset()
        self.world = World(self.start_accounts, ids=self.ids)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run something beside the calls; it ends with the application."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop what runs beside the calls and close the client."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


EMULATOR = web.AppKey("emulator", Emulator)
