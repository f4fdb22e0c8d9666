"""The scheduler's sweeps on a real database."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from services.scheduler.cleanup import clean_up
from services.scheduler.mark_missed import give_up_unseen_once, mark_missed_once
from services.scheduler.relay_outbox import listen
from services.scheduler.run_recurring import ensure_cleanup, ensure_health_checks, fire_once
from shared.database import create_pool
from shared.jobs import CleanUp, JobType, RepeatRule, new_job, to_outbox
from shared.outbox import append
from tests.recurring import add, firings, put_due, recurring, row_of
from tests.seeds import seed_publications, seed_tenant


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


def counted(name, **labels):
    return REGISTRY.get_sample_value(f"instadistro_recurring_{name}_total", labels) or 0


async def test_what_is_due_fires_and_the_wait_for_the_next_is_known(pool):
    """The loop sleeps as long as it may."""
    nothing = await fire_once(pool)
    await add(pool, recurring("due", first_in_ms=0), recurring("later", first_in_ms=600_000))

    wait_s = await fire_once(pool)

    assert nothing is None
    assert list(await firings(pool)) == ["due"]
    assert wait_s is not None
    assert 590 < wait_s <= 600


async def test_a_full_batch_is_followed_by_the_next_at_once(pool):
    """A hundred thousand accounts do not wait for a second between batches."""
    await add(pool, *(recurring(f"job-{number}", first_in_ms=0) for number in range(501)))

    waits = [await fire_once(pool) for _ in range(2)]

    assert waits[0] == 0
    assert waits[1] is not None
    assert waits[1] > 1
    assert len(await firings(pool)) == 501


async def test_what_fires_what_was_missed_and_what_is_broken_is_counted(pool):
    """An operator sees each by its type."""
    labels = {"type": "cleanup:old_jobs"}
    before = [counted("fired", **labels), counted("missed", policy="once", **labels), counted("broken", **labels)]
    cron = RepeatRule(cron="0 9 * * *", zone="UTC")
    await add(pool, recurring("due"), recurring("missed"), recurring("broken", rule=cron))
    await put_due(pool, ago=timedelta(seconds=1))
    await put_due(pool, ago=timedelta(hours=5), name="missed")
    await pool.execute("UPDATE recurring_jobs SET zone = 'Europe/Atlantis' WHERE name = 'broken'")

    await fire_once(pool)

    after = [counted("fired", **labels), counted("missed", policy="once", **labels), counted("broken", **labels)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1, 1]


async def test_the_cleanup_recurs_once_however_often_it_is_ensured(pool):
    """Every start of a scheduler makes sure of it; the first one begins at once."""
    for every_s in (3600.0, 60.0):
        await ensure_cleanup(pool, every_s=every_s)
    await fire_once(pool)

    [row] = await pool.fetch("SELECT name, type, every_ms FROM recurring_jobs")
    assert tuple(row) == ("cleanup:old_jobs", "cleanup:old_jobs", 60_000)
    assert list(await firings(pool)) == ["cleanup:old_jobs"]


async def test_what_is_too_late_is_missed_aloud_and_its_message_withdrawn(pool):
    """Never silently dropped, never burst out later."""
    tenant = await seed_tenant(pool)
    [late] = await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=50)
    [fine] = await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=500)
    [never] = await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=None)

    await mark_missed_once(pool)

    states = {row["id"]: row["state"] for row in await pool.fetch("SELECT id, state FROM publications")}
    events = await pool.fetch("SELECT type, subject FROM events")
    waiting = await pool.fetch("SELECT subject FROM outbox WHERE type = 'post:publish'")
    assert states == {late: "missed", fine: "scheduled", never: "scheduled"}
    assert [tuple(event) for event in events] == [("publication.missed", str(late))]
    assert {row["subject"] for row in waiting} == {str(fine), str(never)}


async def test_a_deferral_beyond_the_last_moment_is_a_miss_with_its_reason(pool):
    """Nobody waits for a wait that cannot help."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant, due_in_s=-1, max_lateness_s=600)
    await pool.execute("UPDATE publications SET next_attempt_at = now() + interval '30 minutes', reason = 'quota'")

    await mark_missed_once(pool)

    row = await pool.fetchrow("SELECT state, reason FROM publications WHERE id = $1", publication_id)
    assert tuple(row) == ("missed", "quota")


@pytest.mark.parametrize("step", ["children_created", "container_created"])
async def test_a_row_past_its_first_step_is_exempt_while_its_container_lives(pool, step):
    """The platform has the media; one more call may finish it."""
    tenant = await seed_tenant(pool)
    await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=50)
    await pool.execute("UPDATE publications SET step = $1, container_id = '1', container_created_at = now()", step)

    await mark_missed_once(pool)
    alive = await pool.fetchval("SELECT state FROM publications")
    await pool.execute("UPDATE publications SET container_created_at = now() - interval '25 hours'")
    await mark_missed_once(pool)

    assert alive == "scheduled"
    assert await pool.fetchval("SELECT state FROM publications") == "missed"


async def test_a_row_whose_publish_call_was_sent_is_never_missed(pool):
    """It may be live; only a look at the platform can tell."""
    tenant = await seed_tenant(pool)
    await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=50)
    await pool.execute(
        """
        UPDATE publications SET step = 'publish_sent', container_id = '1', publish_sends = 1,
            container_created_at = now() - interval '2 days', publish_sent_at = now() - interval '2 days'
        """
    )

    await mark_missed_once(pool)

    assert await pool.fetchval("SELECT state FROM publications") == "scheduled"


@pytest.mark.parametrize(("hours", "state"), [(23, "held"), (25, "outcome_unknown")])
async def test_a_sent_call_that_nobody_could_look_up_for_a_day_is_given_to_a_person(pool, hours, state):
    """Its account may never come back, and what is held can neither be canceled nor resolved."""
    await seed_publications(pool, await seed_tenant(pool), due_in_s=-30 * 3600)
    await pool.execute(
        """
        UPDATE publications SET state = 'held', reason = 'reauth_required', step = 'publish_sent', container_id = '1',
            publish_sends = 1, publish_sent_at = now() - $1::interval
        """,
        timedelta(hours=hours),
    )

    await give_up_unseen_once(pool)

    assert await pool.fetchval("SELECT state FROM publications") == state


async def test_a_new_rhythm_reaches_the_accounts_that_are_there(pool):
    """A changed setting is no matter of when an account was imported."""
    await add(pool, recurring("old", type=JobType.HEALTH_CHECK))

    await ensure_health_checks(pool, every_s=60)

    row = await row_of(pool, "old")
    assert row["every_ms"] == 60_000
    assert row["in_s"] <= 60


async def test_a_message_due_soon_wakes_the_relay_and_a_later_one_does_not(pool, database_url):
    """NOTIFY rings for rows due within five seconds only."""
    wake, stop = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(listen(database_url, wake=wake, stop=stop))
    job = new_job(JobType.CLEANUP_OLD_JOBS, CleanUp(), subject="soon")

    async with asyncio.timeout(20):
        # The listener may not be there yet: append until it hears.
        while not wake.is_set():
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("DELETE FROM outbox")
                await append(connection, [to_outbox(job)])
            try:
                await asyncio.wait_for(wake.wait(), 0.1)
            except TimeoutError:
                continue
    wake.clear()
    later = new_job(JobType.CLEANUP_OLD_JOBS, CleanUp(), subject="later")
    due_at = await pool.fetchval("SELECT now() + interval '1 hour'")
    await append(pool, [to_outbox(later, due_at=due_at)])
    # A second bell after the silent one: had the silent one rung, it would have rung before.
    await pool.execute("SELECT pg_notify('instadistro_outbox', 'probe')")
    await asyncio.wait_for(wake.wait(), 20)
    stop.set()
    await task


async def test_cleanup_prunes_old_dead_jobs_and_keeps_young_ones(pool):
    """Thirty days of dead jobs stay readable."""
    for days in (1, 29, 31, 90):
        await pool.execute(
            """
            INSERT INTO dead_jobs (id, type, subject, reason, attempt, payload, headers, died_at)
            VALUES (gen_random_uuid(), 't', 's', 'r', 1, '', '{}', now() - make_interval(days => $1))
            """,
            days,
        )

    await clean_up(pool, new_job(JobType.CLEANUP_OLD_JOBS, CleanUp(), subject="x"), CleanUp())

    assert await pool.fetchval("SELECT count(*) FROM dead_jobs") == 2


async def test_cleanup_prunes_what_the_gateway_keeps_for_a_time(pool):
    """Of each kind what is older than its policy goes, and what is not stays."""
    tenant = await seed_tenant(pool)
    webhook_id = uuid7()
    await pool.execute(
        "INSERT INTO webhooks (id, user_id, url, key_id, sealed) VALUES ($1, $2, 'https://example.com/', 'test', '')",
        webhook_id,
        tenant.user_id,
    )
    for age in (-1, 1):  # an hour younger than the policy, and an hour older
        await pool.execute(
            """
            WITH age AS (SELECT $2::int * interval '1 hour' AS more),
            request AS (
                INSERT INTO idempotency_keys (user_id, key, fingerprint, status, created_at)
                SELECT $1, $2::text, '', 200, now() - interval '24 hours' - more FROM age),
            operation AS (
                INSERT INTO operations (id, user_id, type, state, created_at)
                SELECT gen_random_uuid(), $1, 'import:accounts', 'failed', now() - interval '30 days' - more FROM age),
            change AS (
                INSERT INTO audit_log (id, user_id, action, subject_type, subject_id, created_at)
                SELECT gen_random_uuid(), $1, 'a', 's', 'i', now() - interval '365 days' - more FROM age),
            state AS (
                INSERT INTO oauth_states (state_hash, user_id, expires_at)
                SELECT sha256($2::text::bytea), $1, now() - more FROM age)
            INSERT INTO webhook_deliveries (id, user_id, webhook_id, event_id, event_type, payload, created_at)
            SELECT gen_random_uuid(), $1, $3, gen_random_uuid(), 't', '', now() - interval '30 days' - more FROM age
            """,
            tenant.user_id,
            age,
            webhook_id,
        )

    await clean_up(pool, new_job(JobType.CLEANUP_OLD_JOBS, CleanUp(), subject="x"), CleanUp())

    for table in ("idempotency_keys", "operations", "audit_log", "oauth_states", "webhook_deliveries"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 1, table  # noqa: S608 - of the line above
