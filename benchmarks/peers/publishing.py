"""Enqueuing as fast as a library's own publish allows, timed from the first to the last confirm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.peers.protocol import say


async def publish_side_by_side(publish: Callable[[], Awaitable[object]], *, count: int, window: int) -> None:
    """Publish `count` times with `window` publishes under way, and say how many seconds it took."""
    turns = iter(range(count))

    async def lane() -> None:
        for _ in turns:
            await publish()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as lanes:
        for _ in range(min(window, count)):
            lanes.create_task(lane())
    say(seconds=time.perf_counter() - began)


def publish_in_threads(publish: Callable[[], object], *, count: int, threads: int) -> None:
    """The same for a library that blocks until the confirm: only in threads can publishes be under way together."""
    turns = iter(range(count))  # one step of the interpreter takes the next, so threads may share it

    def lane() -> None:
        for _ in turns:
            publish()

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for ended in [pool.submit(lane) for _ in range(min(threads, count))]:
            ended.result()
    say(seconds=time.perf_counter() - began)
