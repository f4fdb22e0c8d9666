"""A Redis of a test's own, to be killed, stopped and started again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket

DEADLINE_S = 20


class Server:
    """A Redis of one's own."""

    def __init__(self, binary, directory):
        self.binary, self.directory = binary, directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self):
        options = f"--port {self.port} --bind 127.0.0.1 --dir {self.directory} --appendonly no"
        self.process = await asyncio.create_subprocess_exec(
            self.binary, *options.split(), "--save", "", stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout
        async with asyncio.timeout(DEADLINE_S):
            while b"Ready to accept connections" not in (line := await self.process.stdout.readline()):
                assert line, "redis-server ended before it was ready"

    async def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.communicate()

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)
