"""The scheduler as a process of its own on the benchmark's servers."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil

from benchmarks.processes import CHECKOUT, BenchmarkError
from benchmarks.servers import Servers, virtual_host
from deploy.local.ports import free_ports

_READY_DEADLINE_S = 30.0
_LOOK_EVERY_S = 0.05
_STOP_DEADLINE_S = 60.0


@asynccontextmanager
async def scheduler_process(servers: Servers) -> AsyncIterator[psutil.Process]:
    """`services.scheduler` with the settings of production, on a virtual host where nobody takes what it sends.

    Raises:
        BenchmarkError: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="instadistro-bench-") as place, free_ports() as ports:
        async with virtual_host(servers) as amqp:
            environment = {
                **os.environ,
                "PYTHONPATH": str(CHECKOUT),
                "DATABASE_URL": servers.database,
                "REDIS_URL": servers.redis,
                "AMQP_URL": amqp,
                "TOKEN_KEYS": f"bench:{base64.b64encode(secrets.token_bytes(32)).decode()}",
                "CURSOR_SECRET": secrets.token_hex(32),
                "API_KEY_PEPPER": secrets.token_hex(32),
                "SCHEDULER_INTERNAL_PORT": str(ports.scheduler_internal),
                "LOG_LEVEL": "warning",
            }
            log = Path(place) / "scheduler.log"
            with log.open("wb") as file:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-m", "services.scheduler", env=environment, stdout=file, stderr=file
                )
            try:
                await _ready(f"http://127.0.0.1:{ports.scheduler_internal}/readyz", process, log)
                yield psutil.Process(process.pid)
            finally:
                if process.returncode is None:
                    process.terminate()
                await asyncio.wait_for(process.wait(), _STOP_DEADLINE_S)


async def _ready(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    try:
        async with asyncio.timeout(_READY_DEADLINE_S), aiohttp.ClientSession() as http:
            while process.returncode is None:
                try:
                    async with http.get(url) as answer:
                        if answer.ok:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        pass
    last = (await asyncio.to_thread(log.read_text))[-2000:]
    raise BenchmarkError(f"The scheduler did not start. It said:\n{last}")
