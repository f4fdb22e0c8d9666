from __future__ import annotations

import asyncio

from shared.cache.refresh import Refresher
from tests.waiting import until


async def forever():
    await asyncio.Event().wait()


async def test_refreshes_are_few_and_end_with_the_cache():
    """However many values are due, 8 load at a time, none of them twice, and none outlives close."""
    refresher = Refresher()
    for number in range(20):
        refresher.start(f"key {number}", forever)
        refresher.start(f"key {number}", forever)

    running = len(refresher)
    await refresher.close()

    assert running == 8
    assert len(refresher) == 0


async def test_what_has_ended_makes_room():
    """A name can be refreshed again when its last refresh is over."""
    refresher, runs = Refresher(), 0

    async def run():
        nonlocal runs
        runs += 1

    for _ in range(3):
        refresher.start("key", run)
        await until(lambda: empty(refresher), what="the end of the refresh")

    assert runs == 3


async def empty(refresher):
    return not len(refresher)
