"""The fault run in small: everything fails at once, and every publication is accounted for."""

import asyncpg
import pytest

from tests.faults.publishing.ground import Ground
from tests.faults.publishing.run import Plan, publish_in_trouble
from tests.faults.publishing.table import table

pytestmark = pytest.mark.asyncio(loop_scope="session")
PLAN = Plan(
    publications=120,
    per_s=12.0,
    seed=7,
    share=0.03,
    kill_every_s=3.0,
    purge_every_s=3600.0,  # the rescue would take too long here
    freeze_every_s=3600.0,
    long_waits=False,
)


async def test_in_the_midst_of_faults_nothing_is_lost_twice_or_left_over(live):
    """Platform, publisher and broker fail while posts of every format go out; owners mend their accounts."""
    database = live.system.environment["DATABASE_URL"]
    async with asyncpg.create_pool(database, min_size=1, max_size=4, command_timeout=60) as pool:
        ground = Ground(
            system=live.system, http=live.http, database=pool, kill_points=live.kill_points, api_key=live.api_key
        )

        outcome = await publish_in_trouble(ground, PLAN, tell=print)

    assert outcome.ledger.is_clean, table(outcome)
    assert outcome.ledger.states["published", None] > 0.8 * outcome.ledger.publications
    assert outcome.done["publishers killed"] > 0
    assert outcome.done["messages doubled"] > 0
    assert sum(outcome.faults.values()) > 0
