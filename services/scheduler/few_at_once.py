"""A handler that runs few at once: the rest of its jobs wait for their turn without a connection of the pool."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.jobs import Job

P = TypeVar("P")
R = TypeVar("R")


def few_at_once(run: Callable[[Job, P], Awaitable[R]], *, most: int) -> Callable[[Job, P], Awaitable[R]]:
    """The same handler, `most` of whose jobs run at a time in this process.

    For jobs that come by the thousand at one moment: what keeps time in the same process must not wait behind them.
    """
    places = asyncio.Semaphore(most)

    async def run_in_turn(job: Job, payload: P) -> R:
        async with places:
            return await run(job, payload)

    return run_in_turn
