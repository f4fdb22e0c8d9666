"""A Redis that a case may stop and kill: nobody else's, and nobody starts it again."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from benchmarks.processes import BenchmarkError
from deploy.local.binaries import find_binaries
from deploy.local.ports import LOOPBACK

_START_S = 20.0
_POLL_S = 0.02


@dataclass(frozen=True, kw_only=True)
class MortalRedis:
    """A running server."""

    url: str
    process: asyncio.subprocess.Process

    def hang(self) -> None:
        """It keeps its connections and answers nobody any more."""
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """It is gone; connections to it are refused."""
        self.process.kill()


@asynccontextmanager
async def mortal_redis() -> AsyncIterator[MortalRedis]:
    """Run a server while the context lasts.

    Raises:
        BenchmarkError: it did not start.
    """
    binary = find_binaries().redis_server
    if binary is None:
        raise BenchmarkError("redis-server is not installed.")
    port, password = _free_port(), secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="instadistro-bench-") as directory:
        process = await asyncio.create_subprocess_exec(
            str(binary), "-", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, cwd=directory
        )
        try:
            await _configure(process, f"bind {LOOPBACK}\nport {port}\nrequirepass {password}\nsave ''\n")
            redis = MortalRedis(url=f"redis://:{password}@{LOOPBACK}:{port}/0", process=process)
            await _until_it_answers(redis)
            yield redis
        finally:
            with suppress(ProcessLookupError):
                process.kill()  # a stopped process dies of it too
            await process.wait()


async def _configure(process: asyncio.subprocess.Process, text: str) -> None:
    # On its input, since the arguments of a process can be read by everybody on the machine.
    assert process.stdin is not None  # noqa: S101 - it was opened above
    process.stdin.write(text.encode())
    process.stdin.close()
    await process.stdin.wait_closed()


async def _until_it_answers(redis: MortalRedis) -> None:
    try:
        async with asyncio.timeout(_START_S), Redis.from_url(redis.url, socket_timeout=_START_S) as client:
            while True:
                with suppress(RedisError, OSError):
                    await client.ping()
                    return
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise BenchmarkError("A Redis of the benchmark's own did not start.") from None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port: int = free.getsockname()[1]
        return port
