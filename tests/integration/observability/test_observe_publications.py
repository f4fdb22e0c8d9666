"""What the scheduler measures of publications and dead jobs, and what it counts as their end."""

import pytest
from prometheus_client import REGISTRY

from services.scheduler.mark_missed import give_up_unseen_once, mark_missed_once
from services.scheduler.observe_publications import observe_publications_once
from shared.database import create_pool
from tests.seeds import seed_publications, seed_tenant

LEASED = "lease_owner = 'w1', lease_until = now() + interval"


def sample(name, **labels):
    return REGISTRY.get_sample_value(f"instadistro_{name}", labels) or 0


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


@pytest.fixture
async def publications(pool):
    """Six, each of an account of its own."""
    tenant = await seed_tenant(pool, instagram=[(str(number), "token") for number in range(1, 7)])
    return await seed_publications(pool, tenant, due_in_s=3600)


async def put(pool, publication_id, what):
    await pool.execute(f"UPDATE publications SET {what} WHERE id = $1", publication_id)  # noqa: S608 - a test's own


async def test_what_is_open_is_counted_by_state(pool, publications):
    """Whatever has ended is not in it; a state without any stands at 0."""
    held, published, live, lapsed, due, _ = publications
    await put(pool, held, "state = 'held', reason = 'account_paused'")
    await put(pool, published, "state = 'published', published_at = now()")
    await put(pool, live, f"state = 'publishing', {LEASED} '20 seconds'")
    await put(pool, lapsed, f"state = 'publishing', {LEASED} '-20 seconds'")
    await put(pool, due, "next_attempt_at = now() - interval '90 seconds'")

    await observe_publications_once(pool)

    states = ("scheduled", "publishing", "held", "outcome_unknown")
    assert [sample("publications_open", state=state) for state in states] == [2, 2, 1, 0]
    assert sample("leases_lapsed") == 1
    assert 90 <= sample("publications_oldest_due_age_seconds") < 150


async def test_what_is_not_due_has_no_age(pool, publications):
    """The timetable is no backlog, and what is held waits for somebody else."""
    await put(pool, publications[0], "state = 'held', next_attempt_at = now() - interval '1 day'")

    await observe_publications_once(pool)

    assert sample("publications_oldest_due_age_seconds") == 0
    assert sample("leases_lapsed") == 0


async def test_dead_jobs_are_counted(pool):
    """As many as wait for a person."""
    await pool.execute(
        """
        INSERT INTO dead_jobs (id, type, subject, reason, attempt, payload, headers)
        SELECT gen_random_uuid(), 'health:check', n::text, 'exhausted', 5, '', '{}' FROM generate_series(1, 3) AS n
        """
    )

    await observe_publications_once(pool)

    assert sample("dead_jobs") == 3


async def test_what_is_missed_has_ended_each_once(pool, publications):
    """As many as were moved, by what became of them."""
    before = sample("publications_ended_total", outcome="missed")
    await pool.execute(
        """
        UPDATE publications
        SET max_lateness_s = 10, publish_at = now() - interval '1 hour', next_attempt_at = now() - interval '1 hour'
        WHERE id = ANY($1)
        """,
        publications[:2],
    )

    await mark_missed_once(pool)
    await mark_missed_once(pool)

    assert sample("publications_ended_total", outcome="missed") == before + 2


async def test_what_nobody_could_look_up_has_ended_as_unknown(pool, publications):
    """It is a person's now."""
    before = sample("publications_ended_total", outcome="unknown")
    sent = "container_id = 'c', publish_sends = 1, publish_sent_at = now() - interval '25 hours'"
    await put(
        pool,
        publications[0],
        f"state = 'held', step = 'publish_sent', {sent}, publish_at = now() - interval '25 hours'",
    )

    await give_up_unseen_once(pool)

    assert sample("publications_ended_total", outcome="unknown") == before + 1
