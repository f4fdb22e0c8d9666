"""A child process whose end and output are watched separately: a grandchild that keeps the pipe open delays neither.

asyncio's own subprocesses report the end of a child only once its pipes are closed as well, on some versions of Python.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from deploy.local.account import Account
from deploy.local.log_stream import read_lines


class Child:
    """A running process that leads a session and process group of its own. Start one with `spawn`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.pid = process.pid
        self._process = process
        self._descriptor = os.pidfd_open(process.pid)
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._loop.add_reader(self._descriptor, self._reap)

    async def wait(self) -> int:
        """Wait for the end; returns the exit status, or minus the number of the signal that killed it."""
        return await asyncio.shield(self._ended)

    def send_signal(self, number: signal.Signals) -> None:
        """Signal the process, if it still runs."""
        if not self._ended.done():
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    async def lines(self) -> AsyncIterator[str]:
        """What it writes, line by line, until nobody holds the pipe any more. To be called once."""
        reader = asyncio.StreamReader()
        transport, _ = await self._loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._process.stdout
        )
        try:
            async for line in read_lines(reader):
                yield line
        finally:
            transport.close()

    async def end(self, *, first: signal.Signals, deadline_s: float, hurry: asyncio.Event) -> None:
        """Send `first`, then SIGKILL once `deadline_s` has passed or `hurry` is set; returns when it has ended."""
        self.send_signal(first)
        ended: asyncio.Task[object] = asyncio.create_task(self.wait())
        hurried: asyncio.Task[object] = asyncio.create_task(hurry.wait())
        await asyncio.wait({ended, hurried}, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        self.send_signal(signal.SIGKILL)
        await ended

    def _reap(self) -> None:
        self._loop.remove_reader(self._descriptor)
        # Until it is reaped, nobody else can have its number, so this reaches only what it left of its own group.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        status = self._process.wait()
        os.close(self._descriptor)
        self._ended.set_result(status)


def spawn(
    command: Sequence[str], *, environment: Mapping[str, str], directory: Path | None, account: Account | None
) -> Child:
    """Start `command` as `account` (None: the caller's), with standard output and error in one pipe.

    Raises:
        OSError: it cannot be started.
    """
    as_other = account if account is not None and account.switch else None
    process = subprocess.Popen(  # noqa: S603 - the commands are this package's own
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        cwd=directory,
        start_new_session=True,  # a terminal's Ctrl-C is for the supervisor alone
        user=as_other.uid if as_other else None,
        group=as_other.gid if as_other else None,
        extra_groups=[] if as_other else None,
    )
    return Child(process)
