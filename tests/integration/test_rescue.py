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


async def rescue(pool, *, limit=1000):
    """One sweep: how many got a message, and how many were looked at."""
    async with pool.acquire() as connection, connection.transaction():
        return await rescue_publications(connection, limit=limit, rescue_after_s=60)


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

    first, second = await rescue(pool), await rescue(pool)

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


async def test_waits_between_rescues_double_up_to_fifteen_minutes(pool):
    """What keeps being forgotten costs less and less, and is never given up."""
    await seed_publications(pool, await seed_tenant(pool))
    waits = []

    for _ in range(6):
        await pool.execute("UPDATE publications SET rescue_at = now() - interval '1 second'")
        await rescue(pool)
        waits.append(await pool.fetchval("SELECT round(extract(epoch FROM rescue_at - now()))::int FROM publications"))

    assert [round(wait / 60) * 60 for wait in waits] == [60, 120, 240, 480, 900, 900]


async def test_what_a_worker_has_is_rescued_by_its_lease_and_not_by_its_age(pool):
    """A claim that is days old and still renewed is its worker's; one whose lease ran out is rescued at once."""
    [publication_id] = await seed_publications(pool, await seed_tenant(pool))
    async with pool.acquire() as connection, connection.transaction():
        await claim(connection, publication_id, revision=1, worker="w1", lease_s=20.0)
    await pool.execute("DELETE FROM outbox")
    await pool.execute(
        "UPDATE publications SET rescue_at = now() - interval '3 days', updated_at = now() - interval '3 days'"
    )

    living = await rescue(pool)
    await pool.execute("UPDATE publications SET lease_until = now() - interval '1 millisecond', updated_at = now()")
    dead = await rescue(pool)

    assert (living, dead) == ((0, 0), (1, 1))


async def test_a_rescue_of_what_still_has_its_message_adds_none(pool):
    """The outbox holds one message a publication, and a rescue is no second one."""
    await seed_publications(pool, await seed_tenant(pool))
    await pool.execute("UPDATE publications SET rescue_at = now() - interval '1 second'")

    assert await rescue(pool) == (0, 1)

    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE type = 'post:publish'") == 1


async def test_a_sweep_rescues_so_many_and_leaves_what_others_hold(pool):
    """Two schedulers rescue different rows, and neither waits for the other."""
    instagram = [(f"178414000000{number:05}", f"token-of-{number}") for number in range(5)]
    first, *_ = await seed_publications(pool, await seed_tenant(pool, instagram=instagram))
    await pool.execute("DELETE FROM outbox")
    await pool.execute("UPDATE publications SET rescue_at = now() - interval '1 second'")

    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM publications WHERE id = $1 FOR UPDATE", first)
        sweeps = [await rescue(pool, limit=3), await rescue(pool, limit=3)]

    assert sweeps == [(3, 3), (1, 1)]


@pytest.mark.parametrize("state", ["held", "published", "failed", "canceled", "missed", "outcome_unknown"])
async def test_what_waits_for_nobody_is_not_rescued(pool, state):
    """However old it is."""
    await seed_publications(pool, await seed_tenant(pool))
    await pool.execute("UPDATE publications SET state = $1, rescue_at = now() - interval '1 year'", state)

    assert await rescue(pool) == (0, 0)
