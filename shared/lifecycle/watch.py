"""What every process measures of itself while it runs: its event loop, and whether what it depends on answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from shared import metrics
from shared.lifecycle.checks import Check, ask

_LAG_EVERY_S = 0.5
_DEPENDENCIES_EVERY_S = 5.0


@asynccontextmanager
async def watch_event_loop() -> AsyncIterator[None]:
    """Measure how late the event loop wakes a sleeper, while the context lasts."""
    async with _running(_measure_lag()):
        yield


@asynccontextmanager
async def watch_dependencies(checks: Mapping[str, Check]) -> AsyncIterator[None]:
    """Ask every check again and again, while the context lasts."""
    async with _running(_ask_all(checks)):
        yield


async def _measure_lag() -> None:
    while True:
        # Not the loop's clock: it stands still while a callback runs.
        asleep_at = time.perf_counter()
        await asyncio.sleep(_LAG_EVERY_S)
        metrics.event_loop_lag_seconds.observe(max(0.0, time.perf_counter() - asleep_at - _LAG_EVERY_S))


async def _ask_all(checks: Mapping[str, Check]) -> None:
    while True:
        await asyncio.gather(*(_ask_one(name, check) for name, check in checks.items()))
        await asyncio.sleep(_DEPENDENCIES_EVERY_S)


async def _ask_one(name: str, check: Check) -> None:
    metrics.dependency_up.labels(name).set(await ask(check) is None)


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
