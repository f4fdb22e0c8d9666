"""The round: every area at once, the checks of an area in turn, each with a deadline; one cause is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from deploy.doctor.check import Area, Check, RefusedError
from deploy.doctor.finding import Finding, Level, Verdict, failed, skipped
from deploy.doctor.setup import Setup
from deploy.doctor.veil import Veil

T = TypeVar("T")
_ENTER_S = 12.0
_LEAVE_S = 2.0
_ILL = (Level.FAILED, Level.SKIPPED)


class _Board:
    """What is known so far: whoever needs a check waits for it here."""

    def __init__(self, checks: Sequence[str], *, veil: Veil) -> None:
        loop = asyncio.get_running_loop()
        self._causes: dict[str, asyncio.Future[str | None]] = {name: loop.create_future() for name in checks}
        self._findings: dict[str, list[Finding]] = {name: [] for name in checks}
        self._veil = veil

    async def cause(self, needs: Sequence[str]) -> str | None:
        """The check that failed, if one of `needs` did or was skipped for it. One that is not looked at is no need."""
        for name in needs:
            if name in self._causes and (cause := await self._causes[name]):
                return cause
        return None

    def put(self, name: str, verdicts: Sequence[Verdict], *, cause: str | None = None) -> None:
        """Settle a check: it failed itself, was skipped for `cause`, or is well."""
        self._findings[name] += [
            Finding(check=name, level=each.level, says=self._veil.over(each.says), do=each.do) for each in verdicts
        ]
        is_failed = any(each.level is Level.FAILED for each in verdicts)
        self._causes[name].set_result(name if is_failed else cause)

    def findings(self) -> list[Finding]:
        """All of them, in the order of the checks."""
        return [finding for found in self._findings.values() for finding in found]


async def examine(setup: Setup, areas: Sequence[Area[Any]]) -> list[Finding]:
    """Look at everything and change nothing.

    Args:
        setup: what to look at.
        areas: where; a check may need one that stands in another area.

    Returns:
        At least one finding for each check, in the order of the areas.
    """
    board = _Board([check.name for area in areas for check in area.checks], veil=Veil(setup.environ))
    async with asyncio.TaskGroup() as group:
        for area in areas:
            group.create_task(_examine(area, setup, board))
    return board.findings()


async def _examine(area: Area[T], setup: Setup, board: _Board) -> None:
    if cause := await board.cause(area.needs):
        _skip(area.checks, board, cause)
        return
    first, *others = area.checks
    stack = AsyncExitStack()
    try:
        try:
            async with asyncio.timeout(_ENTER_S):
                subject = await stack.enter_async_context(area.enter(setup))
        except Exception as error:  # noqa: BLE001 - whatever a library raises is a finding too
            board.put(first.name, [_verdict_of(error, within_s=_ENTER_S)])
            _skip(others, board, first.name)
            return
        for check in area.checks:
            await _look(check, subject, board)
    finally:
        await _leave(stack)


async def _look(check: Check[T], subject: T, board: _Board) -> None:
    if cause := await board.cause(check.needs):
        _skip([check], board, cause)
        return
    try:
        async with asyncio.timeout(check.deadline_s):
            verdicts = await check.look(subject)
    except Exception as error:  # noqa: BLE001 - as above
        verdicts = _verdict_of(error, within_s=check.deadline_s)
    board.put(check.name, [verdicts] if isinstance(verdicts, Verdict) else verdicts)


async def _leave(stack: AsyncExitStack) -> None:
    try:
        async with asyncio.timeout(_LEAVE_S):
            await stack.aclose()
    except Exception:  # noqa: BLE001, S110 - everything is said by now
        pass


def _skip(checks: Sequence[Check[Any]], board: _Board, cause: str) -> None:
    for check in checks:
        board.put(check.name, [skipped(f"Not looked at, since {cause} failed.")], cause=cause)


def _verdict_of(error: Exception, *, within_s: float) -> Verdict:
    if isinstance(error, RefusedError):
        return error.verdict
    if isinstance(error, TimeoutError):
        return failed(
            f"It gave no answer within {within_s:g} s.", do="See whether the server or this machine is overloaded."
        )
    return failed(
        f"It could not be looked at: {type(error).__name__}: {error}.", do="See the log of the server it is about."
    )
