"""One process of the system, described: what to run, when it counts as ready, how to stop it."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from deploy.local.account import Account
from deploy.local.ports import LOOPBACK

Probe = Callable[[], Awaitable[object]]
Preparation = Callable[[], Awaitable[None]]

_PROBE_DEADLINE_S = 5.0


class NotYetError(Exception):
    """A probe's answer: the part is not ready yet; ask again."""


async def _nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Part:
    """What the supervisor has to know of one process."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]  # the whole environment of the process
    needs: tuple[str, ...] = ()  # parts that must be ready before this one starts, and that stop after it
    prepare: Preparation = _nothing  # before every start; must be harmless to repeat
    probe: Probe = _nothing  # raises while the part is not ready
    waits_for: str = "its start"  # what the probe asks for, in a sentence about waiting
    ready_deadline_s: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_deadline_s: float = 30.0
    account: Account | None = None  # None: the caller's own
    directory: Path | None = None  # to run in; None: the caller's
    port: int | None = None  # the one people ask for
    one_shot: bool = False  # ready once it has ended with status 0
    log_file: Path | None = None  # its lines go there instead of into the common log
    problems: re.Pattern[str] | None = None  # lines of log_file that are shown as well


async def probe_http(port: int, path: str) -> None:
    """Ready when `path` answers 200 on loopback.

    Raises:
        NotYetError: another status; ask again.
        OSError, TimeoutError, aiohttp.ClientError: nobody answers yet; ask again.
    """
    timeout = aiohttp.ClientTimeout(total=_PROBE_DEADLINE_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(f"http://{LOOPBACK}:{port}{path}") as answer,
    ):
        if answer.status != 200:  # noqa: PLR2004 - HTTP's OK
            raise NotYetError(f"{path} answers {answer.status}")


async def probe_tcp(port: int) -> None:
    """Ready when somebody listens on the loopback port.

    Raises:
        OSError, TimeoutError: nobody does yet; ask again.
    """
    async with asyncio.timeout(_PROBE_DEADLINE_S):
        _, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.close()
        await writer.wait_closed()
