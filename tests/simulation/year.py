"""A simulated year: schedules in ten zones on a clock of our own, with outages; every deviation must have its row.

`python -m tests.simulation.year` runs 500 accounts for 365 days on private servers; tests run a shorter span.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from shared.database import Pool, create_pool
from tests.simulation.clock import create_database, drop_database, set_clock
from tests.simulation.judge import Outage, Verdict, judge
from tests.simulation.system import System
from tests.simulation.world import populate

# Publications are looked for this often; schedules at each of their due times.
_PUBLISH_EVERY = timedelta(minutes=10)
_CLEAN_EVERY = timedelta(days=7)
_NEXT = """
    SELECT (SELECT min(next_at) FROM schedules WHERE paused_at IS NULL AND removed_at IS NULL) AS schedule,
           (SELECT min(next_attempt_at) FROM publications WHERE state = 'scheduled') AS publication
"""


@dataclass(frozen=True, kw_only=True)
class Span:
    """What is simulated."""

    begin: datetime
    end: datetime
    zones: tuple[str, ...]
    outages: Sequence[Outage]
    seed: int = 1


async def simulate(server: str, span: Span) -> Verdict:
    """Live through the span in a database of its own, and judge it."""
    name = f"year_{uuid4().hex}"
    url = await create_database(server, name, begin=span.begin)
    try:
        async with await create_pool(url, application_name="simulation") as pool:
            promises = await populate(pool, zones=span.zones, begin=span.begin)
            await _live(pool, span)
            return await judge(pool, promises, begin=span.begin, end=span.end, outages=span.outages)
    finally:
        await drop_database(server, name)


async def _live(pool: Pool, span: Span) -> None:
    dice = random.Random(span.seed)  # noqa: S311 - a repeatable year, no secret
    system = System(pool=pool, dice=dice)
    now, cleaned = span.begin, span.begin
    while now < span.end:
        now = await _next(pool, now, dice)
        for outage in span.outages:
            if outage.begin < now < outage.end:
                now = outage.end
        now = min(now, span.end)
        await set_clock(pool, now)
        await system.tick()
        if now - cleaned >= _CLEAN_EVERY:
            cleaned = now
            await system.clean_up()
    # What was distributed last is given the time to end.
    await pool.execute("UPDATE schedules SET paused_at = now()")
    await set_clock(pool, now + timedelta(hours=12))
    await system.tick()


async def _next(pool: Pool, now: datetime, dice: random.Random) -> datetime:
    """When something is due next, and up to two seconds after it."""
    [row] = await pool.fetch(_NEXT)
    soon = now + _PUBLISH_EVERY
    times = [row["schedule"], row["publication"] and max(row["publication"], soon)]
    due = min((time for time in times if time is not None), default=now + timedelta(days=1))
    return max(due, now) + timedelta(seconds=dice.uniform(0.01, 2))
