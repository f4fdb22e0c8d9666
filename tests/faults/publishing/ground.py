"""The ground of the fault run: the whole system with short timings, more publishers, and ways to ask it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil

from deploy.local import BoundedFile, Instance, Log, Patience, System, free_ports
from deploy.local.account import server_account
from tests.users import make_user

_TIMINGS = {
    "LEASE_S": "4",
    "LEASE_RENEW_S": "1",
    "RESCUE_SWEEP_S": "1",
    "RESCUE_AFTER_S": "4",
    "PLATFORM_DEADLINE_S": "3",
    "PUBLISH_DEADLINE_S": "3",
    "POLL_IN_WORKER_S": "3",
    "HEALTH_CHECK_EVERY_S": "600",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "warning",
    "PUBLISHER_SLOTS": "32",
}
#: A frozen worker is continued after this: its lease is over, and others have concluded from its silence.
FROZEN_S = 4.0 + 3.0 + 4.0
_CALL = aiohttp.ClientTimeout(total=120)


@dataclass
class ExtraPublisher:
    """One more publisher, started again whenever it ends."""

    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = None

    async def keep(self) -> None:
        """Run until cancelled."""
        while True:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "services.publisher"),
                env=self.environment,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                await self.process.wait()
            except asyncio.CancelledError:
                with suppress(ProcessLookupError):
                    self.process.send_signal(signal.SIGCONT)
                    self.process.kill()
                await self.process.wait()
                raise


@dataclass
class Ground:
    """The running system and those who use it."""

    system: System
    http: aiohttp.ClientSession
    database: asyncpg.Pool
    kill_points: Path
    api_key: str
    extras: list[ExtraPublisher] = field(default_factory=list)

    @property
    def emulator_url(self) -> str:
        return f"http://127.0.0.1:{self.system.ports.emulator}"

    async def api(self, method: str, path: str, **request: Any) -> Any:
        """A call of the gateway."""
        headers = {"Authorization": f"Bearer {self.api_key}", **request.pop("headers", {})}
        return await self.call(method, f"http://127.0.0.1:{self.system.ports.api}{path}", headers=headers, **request)

    async def emulator(self, method: str, path: str, **request: Any) -> Any:
        """A call of the emulator's control."""
        return await self.call(method, f"{self.emulator_url}/_emulator/{path}", **request)

    async def call(self, method: str, url: str, **request: Any) -> Any:
        """Any call; its answer as JSON. Raises AssertionError if it was refused."""
        async with self.http.request(method, url, **request) as answer:
            if not answer.ok:
                raise AssertionError(f"{method} {url} answered {answer.status}: {(await answer.text())[:500]}")
            return await answer.json()

    def publisher_pids(self) -> list[int]:
        """The publishers that run at this moment."""
        pids = [self.system.pid("publisher"), *(extra.process.pid for extra in self.extras if extra.process)]
        return [pid for pid in pids if pid is not None and psutil.pid_exists(pid)]

    def kill_publisher(self, number: int) -> None:
        """One of them ends as in a crash."""
        pids = self.publisher_pids()
        if pids:
            with suppress(ProcessLookupError):
                os.kill(pids[number % len(pids)], signal.SIGKILL)

    def arm_freeze(self, point: str, *, subject: str) -> None:
        """The next publisher that passes this point for this publication stands still there."""
        file = self.kill_points / f"{point}.freeze"
        written = file.with_name("being written")
        written.write_text(subject)
        written.replace(file)

    def frozen_pids(self) -> list[int]:
        """Publishers that stand still."""
        found = []
        for pid in self.publisher_pids():
            with suppress(psutil.Error):
                if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                    found.append(pid)
        return found


@asynccontextmanager
async def standing(*, publishers: int) -> AsyncIterator[Ground]:
    """The system with so many publishers; everything of it is gone afterwards."""
    async with AsyncExitStack() as stack:
        place, kill_points = _place(stack)
        instance = Instance(directory=place / "system", account=server_account())
        instance.create()
        ports = stack.enter_context(free_ports())
        file = stack.enter_context(closing(BoundedFile(instance.logs / "system.log")))
        system = System(
            instance,
            ports,
            extra_environment={**_TIMINGS, "KILL_POINTS_DIR": str(kill_points)},
            log=Log(file=file),
            durable=False,
            patience=Patience(deaths_max=100_000, longest_delay_s=0.5),
        )
        await stack.enter_async_context(system)
        ground = Ground(
            system=system,
            http=await stack.enter_async_context(aiohttp.ClientSession(timeout=_CALL)),
            database=await stack.enter_async_context(
                asyncpg.create_pool(system.environment["DATABASE_URL"], min_size=1, max_size=4, command_timeout=60)
            ),
            kill_points=kill_points,
            api_key=await make_user(system.environment),
        )
        await _add_publishers(stack, ground, publishers - 1)
        yield ground


def _place(stack: AsyncExitStack) -> tuple[Path, Path]:
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="instadistro-faults-")))
    place.chmod(0o711)  # the servers' account passes through it
    kill_points = place / "kill-points"
    kill_points.mkdir()
    return place, kill_points


async def _add_publishers(stack: AsyncExitStack, ground: Ground, count: int) -> None:
    for _ in range(count):
        spare = stack.enter_context(free_ports())
        environment = {**ground.system.environment, "PUBLISHER_INTERNAL_PORT": str(spare.publisher_internal)}
        extra = ExtraPublisher(environment=environment)
        ground.extras.append(extra)
        keeping = asyncio.create_task(extra.keep())
        stack.push_async_callback(_end, keeping)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
