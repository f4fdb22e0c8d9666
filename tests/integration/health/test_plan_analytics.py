"""When numbers are collected."""

import pytest

from services.scheduler.plan_analytics import plan_analytics_once
from shared.database import create_pool
from tests.seeds import seed_tenant


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


async def _seed(pool, count):
    tenant = await seed_tenant(pool, instagram=[(str(17841400000000000 + n), "a-token-of-tests") for n in range(count)])
    await pool.execute("INSERT INTO health_checks (account_id, user_id) SELECT id, user_id FROM accounts")
    return tenant


async def _asked(pool):
    rows = await pool.fetch("SELECT subject FROM outbox WHERE type = 'analytics:process' ORDER BY subject")
    return [row["subject"] for row in rows]


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ("SET state = 'ACTIVE'", True),
        ("SET state = 'PAUSED', paused_from = 'ACTIVE'", False),
        ("SET state = 'NEEDS_REAUTH'", False),
        ("SET token_expires_at = now()", False),
        ("SET token_expires_at = NULL", True),
    ],
)
async def test_a_due_account_is_asked_for_once(pool, change, asked):
    """Where there is a live token; a run that never came is asked for again at its usual time, so that few wait."""
    tenant = await _seed(pool, 1)
    await pool.execute(f"UPDATE accounts {change}")

    for _ in range(2):
        await plan_analytics_once(pool)

    assert await _asked(pool) == ([str(tenant.account_ids[0])] if asked else [])
    assert await pool.fetchval("SELECT analytics_due_at = next_analytics_at(account_id) FROM health_checks")


async def test_many_due_accounts_come_by_and_by(pool):
    """However many are due at once, a sweep asks for a hundred."""
    await _seed(pool, 120)

    await plan_analytics_once(pool)
    first = await _asked(pool)
    await plan_analytics_once(pool)

    assert (len(first), len(await _asked(pool))) == (100, 120)


async def test_each_account_has_a_time_of_day_of_its_own(pool):
    """Once in every 24 hours, and all accounts spread over them."""
    rows = await pool.fetch("""
        SELECT extract(epoch FROM next_analytics_at(id) - now())::float8 / 3600 AS hour
        FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 2400)) AS made
    """)

    hours = [row["hour"] for row in rows]
    assert (min(hours) > 0, max(hours) <= 24) == (True, True)
    assert all(50 <= sum(hour < each <= hour + 1 for each in hours) <= 160 for hour in range(24))
