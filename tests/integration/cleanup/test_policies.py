"""What is kept for a time goes when that is over: in small batches, and with nobody waiting."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from services.scheduler.cleanup import run_cleanup
from shared.cleanup import choose_policies, clean_up, count_old
from shared.cleanup.policies import ALERTS, ARCHIVED_PUBLICATIONS, DEAD_JOBS, ENDED_PUBLICATIONS, EVENTS, OPERATIONS
from shared.jobs import Again, CleanUp, JobType, Transient, new_job

JOB = new_job(JobType.CLEANUP_OLD_JOBS, CleanUp(), subject="x")
# Each: what it takes to have a row that is so old; $1: the tenant, $2: its account, $3: its age.
ROWS = {
    "dead_jobs": """
        INSERT INTO dead_jobs (id, type, subject, reason, attempt, payload, headers, died_at)
        SELECT gen_random_uuid(), 't', $1::uuid::text, $2::uuid::text, 1, '', '{}', now() - $3::interval""",
    "job_starts": """
        INSERT INTO job_starts (type, subject, starts, last_started_at)
        SELECT $1::uuid::text, $2::uuid::text || $3::interval, 2, now() - $3::interval""",
    "idempotency_keys": """
        INSERT INTO idempotency_keys (user_id, key, fingerprint, status, created_at)
        SELECT $1, $2::uuid::text || $3::interval, '', 200, now() - $3::interval""",
    "operations": """
        INSERT INTO operations (id, user_id, type, state, input, key_id, created_at)
        SELECT gen_random_uuid(), $1, 'import:accounts', 'failed', $2::uuid::text::bytea, 'k', now() - $3::interval""",
    "audit_log": """
        INSERT INTO audit_log (id, user_id, action, subject_type, subject_id, created_at)
        SELECT gen_random_uuid(), $1, 'a', 's', $2::uuid::text, now() - $3::interval""",
    "webhook_deliveries": """
        WITH webhook AS (
            INSERT INTO webhooks (id, user_id, url, key_id, sealed)
            SELECT gen_random_uuid(), $1, 'https://example.com/', $2::uuid::text, '' RETURNING id, user_id)
        INSERT INTO webhook_deliveries (id, user_id, webhook_id, event_id, event_type, payload, created_at)
        SELECT gen_random_uuid(), user_id, id, id, 't', '', now() - $3::interval FROM webhook""",
    "oauth_states": """
        INSERT INTO oauth_states (state_hash, user_id, actor, expires_at)
        SELECT sha256($3::interval::text::bytea), $1, $2::uuid::text, now() - $3::interval""",
    "schedule_occurrences": """
        WITH schedule AS (
            INSERT INTO schedules (id, user_id, name, cron, timezone, dst_gap, dst_overlap, misfire, account_id,
                                   window_s, min_gap_s, made_until)
            SELECT gen_random_uuid(), $1, 'n', '0 9 * * *', 'UTC', 'shift', 'first', 'once', $2, 0, 0, now()
            RETURNING id, user_id)
        INSERT INTO schedule_occurrences (id, user_id, schedule_id, local_date, slot, due_at, state)
        SELECT gen_random_uuid(), user_id, id, now()::date, state, now() - $3::interval, state
        FROM schedule CROSS JOIN unnest(ARRAY['distributed', 'skipped', 'failed']) AS state""",
    "health_history": """
        INSERT INTO health_history (id, user_id, account_id, score, band, confidence, components, gates, reasons,
                                    formula_version, computed_at)
        SELECT gen_random_uuid(), $1, $2, 50, 'b', 1, '{}', '[]', '[]', 1, now() - $3::interval""",
    "analytics_snapshots": """
        INSERT INTO analytics_snapshots (id, user_id, account_id, source, window_to, metrics, captured_at)
        SELECT gen_random_uuid(), $1, $2, 'profile', now() - 30 * $3::interval, '{}', now() - $3::interval""",
    "alerts": """
        INSERT INTO alerts (id, user_id, code, severity, subject_type, subject_id, state, text, advice, opened_at,
                            resolved_at)
        SELECT gen_random_uuid(), $1, 'c', 'info', 'account', $2, 'resolved', 't', 'a', now() - interval '1 year',
               now() - $3::interval""",
    "incidents": """
        INSERT INTO incidents (id, error_class, accounts, share, user_ids, opened_at, paused_until, closed_at)
        SELECT gen_random_uuid(), $2::uuid::text, 1, 1, ARRAY[$1::uuid], now() - interval '1 year', now(),
               now() - $3::interval""",
}
# What is not over is kept however old it is.
UNENDED = {
    "schedule_occurrences": "UPDATE schedule_occurrences SET state = 'pending'",
    "alerts": "UPDATE alerts SET state = 'open', resolved_at = NULL",
    "incidents": "UPDATE incidents SET closed_at = NULL",
}
POLICIES = choose_policies(archive_after_days=90, archive_keep_days=730)
BY_AGE = {policy.name: policy for policy in POLICIES if policy.name in ROWS}


async def add(store, table, age):
    """Rows so old; how many."""
    status = await store.pool.execute(ROWS[table], store.tenant.user_id, store.tenant.account_ids[0], age)
    return int(status.split()[-1])


async def count(store, table):
    return await store.pool.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - of a test's own


def test_every_policy_by_age_is_tested_here():
    """One that is added is not forgotten."""
    whole = {policy.name for policy in (EVENTS, ARCHIVED_PUBLICATIONS, ENDED_PUBLICATIONS)}

    assert {policy.name for policy in POLICIES} == ROWS.keys() | whole


@pytest.mark.parametrize("table", ROWS)
async def test_what_is_older_than_it_is_kept_goes_and_what_is_younger_stays(store, table):
    """A dry run says so before, and changes nothing."""
    kept = timedelta(days=BY_AGE[table].days or 0)
    young = await add(store, table, kept - timedelta(hours=1))
    old = await add(store, table, kept + timedelta(hours=1))
    async with store.pool.acquire() as connection:
        [told] = await count_old(connection, [BY_AGE[table]])
    before = await count(store, table)

    went = await store.clean_up()

    assert (told.rows, told.is_exact, before) == (old, True, young + old)
    assert went[table] == old
    assert await count(store, table) == young


@pytest.mark.parametrize("table", UNENDED)
async def test_what_is_not_over_stays_however_old(store, table):
    """Somebody still has to deal with it."""
    rows = await add(store, table, timedelta(days=2_000))
    await store.pool.execute(UNENDED[table])

    await store.clean_up()

    assert await count(store, table) == rows


async def test_a_row_that_somebody_holds_is_left_and_nobody_waits(store):
    """It goes the next time."""
    for _ in range(2):
        await add(store, "dead_jobs", timedelta(days=90))

    async with store.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM dead_jobs LIMIT 1 FOR UPDATE")
        async with asyncio.timeout(10):
            went = await store.clean_up()

    assert went["dead_jobs"] == 1
    assert await count(store, "dead_jobs") == 1


async def test_one_policy_that_fails_stops_no_other(store):
    """It gives way to a table that is locked, is told by name, and the job is tried again."""
    await add(store, "dead_jobs", timedelta(days=90))
    await add(store, "operations", timedelta(days=90))
    broken = replace(DEAD_JOBS, let_go="SELECT $2::int / ($1::int - $1::int)")

    with pytest.raises(Transient, match="dead_jobs: division by zero"):
        await run_cleanup(store.pool, [broken, OPERATIONS], JOB, CleanUp())

    assert [await count(store, table) for table in ("dead_jobs", "operations")] == [1, 0]


async def test_a_table_that_somebody_locks_is_given_up_soon(store):
    """Cleaning up waits no longer than everybody else would wait for it."""
    async with store.pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE dead_jobs")
        [outcome] = [outcome async for outcome in clean_up(store.pool, [DEAD_JOBS])]

    assert outcome.failure is not None
    assert "lock timeout" in outcome.failure


async def test_a_database_that_is_away_is_no_matter_of_one_policy(store):
    """Nobody asks it fifteen times more; the job waits for it."""
    await store.pool.close()

    with pytest.raises(asyncpg.InterfaceError):
        [outcome async for outcome in clean_up(store.pool, POLICIES)]


async def test_what_is_more_than_one_run_takes_goes_on_soon(store):
    """The job comes again without a failure, until nothing is left."""
    for _ in range(101):
        await add(store, "dead_jobs", timedelta(days=90))
    one_by_one = replace(DEAD_JOBS, batch=1)

    first = await run_cleanup(store.pool, [one_by_one], JOB, CleanUp())
    second = await run_cleanup(store.pool, [one_by_one], JOB, CleanUp())

    assert isinstance(first, Again)
    assert second is None
    assert await count(store, "dead_jobs") == 0


async def test_event_days_are_counted_and_dropped(store):
    """A dry run tells rows; what is dropped are whole days."""
    await store.pool.execute(
        "CREATE TABLE events_20200101 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')"
    )
    await store.pool.execute(
        """
        INSERT INTO events (id, user_id, type, subject, payload, created_at)
        VALUES ($1, $1, 't', 's', '{}', '2020-01-01')
        """,
        uuid7(),
    )
    async with store.pool.acquire() as connection:
        [told] = await count_old(connection, [EVENTS])

    went = await store.clean_up()

    assert (told.rows, went["events"]) == (1, 1)


async def test_a_dry_run_counts_the_archive_too(store):
    """What would move, and what would be dropped for good; what is kept for ever never is."""
    await store.end("published", days=100)
    await store.end("published", days=400)
    archive = replace(ARCHIVED_PUBLICATIONS, days=200)
    async with store.pool.acquire() as connection:
        before = await count_old(connection, [archive, ENDED_PUBLICATIONS])
    await store.clean_up()

    async with store.pool.acquire() as connection:
        after = await count_old(connection, [archive, ENDED_PUBLICATIONS, replace(archive, days=None)])

    assert [one.rows for one in before] == [0, 2]
    assert [one.rows for one in after] == [1, 0, 0]


async def test_alerts_that_live_are_not_even_counted(store):
    """The dry run means what the run does."""
    await add(store, "alerts", timedelta(days=900))
    await store.pool.execute(UNENDED["alerts"])

    async with store.pool.acquire() as connection:
        [told] = await count_old(connection, [ALERTS])

    assert told.rows == 0
