"""The parts of the system that keep time, in turns instead of in services: two schedulers, a model publisher."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from services.scheduler.make_occurrences import make_occurrences_once
from services.scheduler.mark_missed import mark_missed_once
from services.scheduler.process_schedule import process_occurrence
from shared.cleanup import choose_policies, clean_up
from shared.database import Pool
from shared.jobs import Job, JobType, ProcessOccurrence, new_job
from tests.simulation.publisher import publish_due

_RESCUE_AFTER_S = 60.0
_SCHEDULERS = 2
_AT_ONCE = 4
# What the relay would send: the jobs of occurrences are done here, and of all else nobody is there to hear.
_TAKE_JOBS = "DELETE FROM outbox WHERE type = 'schedule:process' RETURNING payload"
_DROP_DUE = "DELETE FROM outbox WHERE due_at <= now()"


class System:
    """Everything that runs while nothing is out of order."""

    def __init__(self, *, pool: Pool, dice: random.Random) -> None:
        """Run on `pool`; `dice` decides what the platform would refuse."""
        self._pool = pool
        self._dice = dice

    async def tick(self) -> None:
        """What the services would do within this moment."""
        sweep = partial(_to_its_end, partial(make_occurrences_once, self._pool))
        await asyncio.gather(*(sweep() for _ in range(_SCHEDULERS)))
        await self._process()
        await _to_its_end(partial(mark_missed_once, self._pool))
        await publish_due(self._pool, self._dice)
        await self._pool.execute(_DROP_DUE)

    async def clean_up(self) -> None:
        """Prune and archive by policy."""
        policies = choose_policies(archive_after_days=90, archive_keep_days=730)
        failures = [done.failure async for done in clean_up(self._pool, policies) if done.failure]
        assert not failures

    async def _process(self) -> None:
        places = asyncio.Semaphore(_AT_ONCE)

        async def process(payload: ProcessOccurrence) -> None:
            job: Job = new_job(JobType.SCHEDULE_PROCESS, payload, subject=str(payload.occurrence_id))
            async with places:
                await process_occurrence(self._pool, job, payload, rescue_after_s=_RESCUE_AFTER_S)

        while rows := await self._pool.fetch(_TAKE_JOBS):
            payloads = [msgspec.json.decode(row["payload"], type=ProcessOccurrence) for row in rows]
            await asyncio.gather(*(process(payload) for payload in payloads))


async def _to_its_end(run_once: Callable[[], Awaitable[float | None]]) -> None:
    """Repeat a sweep for as long as it says that there is more to do at once."""
    while await run_once() == 0.0:
        continue
