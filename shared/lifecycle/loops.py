"""The loop that owns timer, stop and logging, so that what it runs is one plain sweep."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from shared import metrics
from shared.errors import InstaDistroError

log = structlog.get_logger()
_RETRY_FIRST_S = 0.2
_RETRY_MOST_S = 10.0
# Several may run under one name, as those that read for streams do.
_running = Counter[str]()


async def repeat(
    run_once: Callable[[], Awaitable[float | None]],
    *,
    name: str,
    every_s: float,
    stop: asyncio.Event,
    wake: asyncio.Event | None = None,
) -> None:
    """Run sweeps until told to stop.

    A sweep that raises is logged and tried again with growing, jittered waits of at most 10 s: a database that is away
    for a while ends no service. Sweeps are counted, and the time of the last good one is a metric; until there is one,
    that is the time at which the loop began. Once none of this name runs, it is gone: what has ended does not stall.

    Args:
        run_once: one sweep. It may answer how many seconds it wants to wait before the next one, 0 for at once.
        name: for the log and the metrics.
        every_s: the usual wait between two sweeps.
        stop: ends the loop after the sweep that runs.
        wake: starts the next sweep early.
    """
    _running[name] += 1
    try:
        await _sweep(run_once, name=name, every_s=every_s, stop=stop, wake=wake)
    finally:
        _running[name] -= 1
        if not _running[name]:
            metrics.loop_last_success_seconds.remove(name)


async def _sweep(
    run_once: Callable[[], Awaitable[float | None]],
    *,
    name: str,
    every_s: float,
    stop: asyncio.Event,
    wake: asyncio.Event | None,
) -> None:
    failures = 0
    done, failed = (metrics.loop_runs_total.labels(name, outcome) for outcome in ("done", "failed"))
    last_success = metrics.loop_last_success_seconds.labels(name)
    last_success.set(time.time())
    while not stop.is_set():
        if wake is not None:
            wake.clear()
        try:
            wished = await run_once()
            wait_s = every_s if wished is None else min(wished, every_s)
            failures = 0
            done.inc()
            last_success.set(time.time())
        except Exception as error:  # noqa: BLE001 - told below, and tried again
            failures += 1
            failed.inc()
            ceiling = min(_RETRY_FIRST_S * 2.0**failures, _RETRY_MOST_S)
            wait_s = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter, no secret
            # What we raise ourselves is a sentence already; anything else may be a defect and shows where.
            tell = log.warning if isinstance(error, InstaDistroError) else log.exception
            tell("loop.failed", loop=name, error=str(error), failures=failures, retry_in_s=round(wait_s, 2))
        await _wait(wait_s, stop, wake if failures == 0 else None)


async def _wait(seconds: float, stop: asyncio.Event, wake: asyncio.Event | None) -> None:
    waiters = [asyncio.create_task(event.wait()) for event in (stop, wake) if event is not None]
    try:
        await asyncio.wait(waiters, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()
        for waiter in waiters:
            with contextlib.suppress(asyncio.CancelledError):
                await waiter
