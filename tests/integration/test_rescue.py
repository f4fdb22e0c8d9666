"""What nobody speaks for any more is found and gets a message again."""

import pytest

from shared.database import create_pool
from shared.publications import (
    claim,
    note_broker_emptied,
    rescue_publications,
)
from tests.seeds import seed_publications, seed_tenant


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


async def test_forgotten_publications_are_rescued_with_growing_waits(pool):
    """A scheduled row past its rescue time and a publishing row with a dead lease get a message again."""
    tenant = await seed_tenant(
        pool, instagram=[("1784140000000001", "token-one-1"), ("1784140000000002", "token-two-2")]
    )
    scheduled, publishing = await seed_publications(pool, tenant)
    async with pool.acquire() as connection, connection.transaction():
        await claim(connection, publishing, revision=1, worker="w1", lease_s=20.0)
    await pool.execute("DELETE FROM outbox")
    await pool.execute("UPDATE publications SET rescue_at = now() - interval '1 second'")
    await pool.execute("UPDATE publications SET lease_until = now() - interval '1 second' WHERE id = $1", publishing)

    async def rescue():
        async with pool.acquire() as connection, connection.transaction():
            return await rescue_publications(connection, limit=1000, rescue_after_s=60)

    first, second = await rescue(), await rescue()

    rows = await pool.fetch("SELECT subject FROM outbox")
    waits = await pool.fetch(
        "SELECT extract(epoch FROM rescue_at - now())::float8 AS wait_s, rescues FROM publications"
    )
    assert (first, second) == ((2, 2), (0, 0))
    assert {row["subject"] for row in rows} == {str(scheduled), str(publishing)}
    assert all(55 < wait["wait_s"] <= 60 and wait["rescues"] == 1 for wait in waits)


async def test_an_emptied_broker_makes_due_rows_forgotten_at_once(pool):
    """Nobody waits a minute for what is known to be lost; what is due tomorrow stays in the outbox."""
    tenant = await seed_tenant(pool)
    [due] = await seed_publications(pool, tenant)
    [tomorrow] = await seed_publications(pool, tenant, due_in_s=86_400)

    await note_broker_emptied(pool, ["jobs.publisher.v1"])

    assert await pool.fetchval("SELECT rescue_at <= now() FROM publications WHERE id = $1", due)
    assert not await pool.fetchval("SELECT rescue_at <= next_attempt_at FROM publications WHERE id = $1", tomorrow)
