"""Keeps one part running: start, readiness, restart with backoff, and an end in good order."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from deploy.local.child import Child, spawn
from deploy.local.log_stream import BoundedFile, Log
from deploy.local.part import Part
from deploy.local.patience import PartFailedError, Patience

_LAST_LINES = 20
_PROBE_EVERY_S = 0.1
_READ_REST_S = 1.0


class Reporter(Protocol):
    """Told about every change of a part."""

    def __call__(self, name: str, *, state: str, pid: int | None, port: int | None) -> None:
        """The part `name` is now in `state`."""


class Keeper:
    """Runs one part until told to stop. States: waiting, starting, ready, done, died, failed, stopping, stopped."""

    def __init__(self, part: Part, *, needs: Sequence[Keeper], log: Log, report: Reporter, patience: Patience) -> None:
        self.part = part
        self.state = "waiting"
        self.ready = asyncio.Event()
        self.before_next_start: Callable[[], None] | None = None
        self._needs = needs
        self._log = log
        self._report = report
        self._patience = patience
        self._process: Child | None = None
        self._stopping = False
        self._was_ready = False
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._file: BoundedFile | None = None

    @property
    def pid(self) -> int | None:
        """The part's process, None while it has none."""
        return self._process.pid if self._process is not None else None

    def start(self) -> asyncio.Task[None]:
        """Begin; the task ends when the part was stopped, and raises PartFailedError if it cannot be kept running."""
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.part.name}")
        return self._task

    async def stop(self) -> None:
        """End the part, politely at first; returns when its process is gone."""
        self._stopping = True
        if self._process is None and self._task is not None:
            self._task.cancel()
        elif self._process is not None:
            self._enter("stopping")
            await self._process.end(
                first=self.part.stop_signal, deadline_s=self.part.stop_deadline_s, hurry=self._hurry
            )
        if self._task is not None:
            await asyncio.wait([self._task])
        self.ready.clear()
        self._enter("stopped")
        if self._file is not None:
            self._file.close()

    def hurry(self) -> None:
        """Stop being polite: a stop that goes on, or comes, kills at once."""
        self._hurry.set()

    def kill(self) -> None:
        """End the part's process like a crash would; it is started again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        deaths: deque[float] = deque(maxlen=self._patience.deaths_max)
        in_a_row = 0
        while not self._stopping:
            await self._wait_for_needs()
            started = loop.time()
            process = await self._start()
            own_fault = await self._live(process)
            if self._stopping or self.state == "done":
                return
            if not own_fault:
                continue
            deaths.append(loop.time())
            if len(deaths) == self._patience.deaths_max and deaths[-1] - deaths[0] <= self._patience.deaths_window_s:
                raise self._failure(f"died {len(deaths)} times within {self._patience.deaths_window_s:g} s")
            in_a_row = 1 if loop.time() - started >= self._patience.stable_s else in_a_row + 1
            await self._back_off(in_a_row)

    async def _wait_for_needs(self) -> None:
        for need in self._needs:
            await need.ready.wait()

    async def _start(self) -> Child:
        try:
            if self.before_next_start is not None:
                self.before_next_start()
                self.before_next_start = None
            self._enter("starting")
            await self.part.prepare()
            if self.part.log_file is not None and self._file is None:
                self._file = BoundedFile(self.part.log_file)
            self._process = spawn(
                self.part.command,
                environment=self.part.environment,
                directory=self.part.directory,
                account=self.part.account,
            )
        except OSError as error:
            raise self._failure(f"cannot be started: {error}") from error
        self._enter("starting")
        return self._process

    async def _live(self, process: Child) -> bool:
        """One life, from the start to the end of the process; was its end the part's own fault?"""
        reader = asyncio.create_task(self._read(process))
        becoming_ready = asyncio.create_task(self._become_ready())
        try:
            status = await process.wait()
            own_fault = all(need.ready.is_set() for need in self._needs)
        finally:
            becoming_ready.cancel()
            await asyncio.wait([becoming_ready])
            self.ready.clear()
            # Somebody who inherited the pipe may keep it open for ever.
            await asyncio.wait([reader], timeout=_READ_REST_S)
            reader.cancel()
            self._process = None
        if not becoming_ready.cancelled() and (fault := becoming_ready.exception()) is not None:
            raise fault
        self._judge(status, own_fault=own_fault)
        return own_fault

    def _judge(self, status: int, *, own_fault: bool) -> None:
        if self._stopping:
            return
        if self.part.one_shot and status == 0:
            self.ready.set()
            self._enter("done")
        elif self.part.one_shot and own_fault:
            raise self._failure(f"ended with {_status(status)}")
        else:
            self._enter("died")
            self._say(f"ended with {_status(status)}")

    async def _become_ready(self) -> None:
        """Ask until the part is ready; the first time within its deadline, after that for as long as it takes."""
        if self.part.one_shot:
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        say_at = began + self._patience.say_waiting_every_s
        while True:
            try:
                await self.part.probe()
            except Exception as error:  # whatever a server answers while it starts, it is not ready
                waited = loop.time() - began
                if waited >= self.part.ready_deadline_s and not self._was_ready:
                    self.kill()
                    raise self._failure(
                        f"did not become ready in {waited:.0f} s; {self.part.waits_for} is missing ({error})"
                    ) from error
                if loop.time() >= say_at:
                    say_at += self._patience.say_waiting_every_s
                    self._say(f"still waiting for {self.part.waits_for}")
                await asyncio.sleep(_PROBE_EVERY_S)
            else:
                break
        self._was_ready = True
        self.ready.set()
        self._enter("ready")
        self._say("ready")

    async def _back_off(self, in_a_row: int) -> None:
        delay = min(self._patience.longest_delay_s, self._patience.first_delay_s * 2 ** (in_a_row - 1))
        delay *= random.SystemRandom().uniform(0.8, 1.2)
        self._say(f"starting again in {delay:.1f} s")
        await asyncio.sleep(delay)

    async def _read(self, process: Child) -> None:
        async for line in process.lines():
            self._last_lines.append(line)
            if self._file is None:
                self._log.line(self.part.name, line)
                continue
            self._file.line(line)
            # What a server complains of while it starts or stops is not news; if it fails, its last lines are shown.
            if self.part.problems is not None and self.state == "ready" and self.part.problems.search(line):
                self._log.line(self.part.name, line)

    def _enter(self, state: str) -> None:
        self.state = state
        self._report(self.part.name, state=state, pid=self.pid, port=self.part.port)

    def _say(self, text: str) -> None:
        self._log.line(self.part.name, f"[{text}]")

    def _failure(self, what: str) -> PartFailedError:
        self._enter("failed")
        lines = "\n".join(f"  {line}" for line in self._last_lines) or "  (it wrote nothing)"
        where = f"\nIts whole log: {self.part.log_file}" if self.part.log_file is not None else ""
        return PartFailedError(f"{self.part.name} {what}. Its last lines:\n{lines}{where}")


def _status(status: int) -> str:
    if status < 0:
        with suppress(ValueError):
            return f"signal {signal.Signals(-status).name}"
    return f"status {status}"
