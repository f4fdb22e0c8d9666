"""What the scheduler measures of all tenants' accounts together."""

import math

import pytest
from prometheus_client import REGISTRY

from services.scheduler.observe_accounts import observe_accounts_once, observe_quota_once
from shared.database import create_pool
from tests.seeds import seed_tenant


def sample(name, **labels):
    return REGISTRY.get_sample_value(f"instadistro_{name}", labels)


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


@pytest.fixture
async def accounts(pool):
    """Eight active accounts of two tenants, whose tokens end in 50 days."""
    tenants = [
        await seed_tenant(pool, instagram=[(str(first + number), "token") for number in range(4)]) for first in (10, 20)
    ]
    return [account_id for tenant in tenants for account_id in tenant.account_ids]


async def put(pool, account_id, what):
    await pool.execute(f"UPDATE accounts SET {what} WHERE id = $1", account_id)  # noqa: S608 - a test's own


async def test_accounts_are_counted_by_state(pool, accounts):
    """Of all tenants; what was removed is not there, and a state without any stands at 0."""
    await put(pool, accounts[0], "state = 'PAUSED', paused_from = 'ACTIVE'")
    await put(pool, accounts[1], "state = 'NEEDS_REAUTH'")
    await put(pool, accounts[2], "removed_at = now()")

    await observe_accounts_once(pool)

    states = ("ACTIVE", "PAUSED", "NEEDS_REAUTH", "RESTRICTED", "NEW", "WARMING_UP", "DISCONNECTED")
    assert [sample("accounts", state=state) for state in states] == [5, 1, 1, 0, 0, 0, 0]


async def test_tokens_that_end_are_counted_by_when(pool, accounts):
    """Each number contains the smaller ones; whoever needs a new token anyway is not counted."""
    for account_id, days in zip(accounts, (0.5, 2, 2, 6, 13, 30), strict=False):
        await put(pool, account_id, f"token_expires_at = now() + {days} * interval '1 day'")
    await put(pool, accounts[6], "token_expires_at = now() - interval '1 day', state = 'NEEDS_REAUTH'")

    await observe_accounts_once(pool)

    assert [sample("tokens_ending", within_days=days) for days in ("1", "3", "7", "14")] == [1, 3, 4, 5]
    assert 0.45 * 86400 < (sample("token_first_end_seconds") or 0) <= 0.5 * 86400


async def test_a_token_that_has_ended_is_told_by_how_long(pool, accounts):
    """It is the first, and negative."""
    await put(pool, accounts[0], "token_expires_at = now() - interval '1 hour'")

    await observe_accounts_once(pool)

    assert -3700 < (sample("token_first_end_seconds") or 0) <= -3600
    assert sample("tokens_ending", within_days="1") == 1


async def test_without_a_known_end_there_is_none_to_fear(pool, accounts):
    """Not 0, which would say that one ends now."""
    await pool.execute("UPDATE accounts SET token_expires_at = NULL")

    await observe_accounts_once(pool)

    assert sample("token_first_end_seconds") == math.inf
    assert sample("tokens_ending", within_days="14") == 0
    assert len(accounts) == 8


async def test_accounts_are_counted_by_the_band_of_their_health(pool, accounts):
    """Those that were judged; a word that is no band makes no series."""
    for account_id, band in zip(accounts, ("healthy", "healthy", "critical", "none of ours"), strict=False):
        await pool.execute(
            """
            INSERT INTO health_scores (account_id, user_id, score, band, confidence, components, gates, reasons,
                                       formula_version, computed_at)
            SELECT id, user_id, 90, $2, 1, '{}', '[]', '[]', 1, now() FROM accounts WHERE id = $1
            """,
            account_id,
            band,
        )

    await observe_accounts_once(pool)

    bands = ("healthy", "watch", "degraded", "at_risk", "critical", "provisional")
    assert [sample("accounts_in_band", band=band) for band in bands] == [2, 0, 0, 0, 1, 0]
    assert sample("accounts_in_band", band="none of ours") is None


async def test_accounts_are_counted_by_how_much_of_their_limit_is_used(pool, accounts):
    """As their last check told; one that told too long ago says nothing, and a refused publish call says all."""
    await pool.execute("UPDATE accounts SET quota_total = 100 WHERE id <> $1", accounts[7])
    for account_id, used, hours in zip(
        accounts, (10, 50, 51, 91, 100, 99, 0, 5), (1, 1, 1, 1, 1, 25, 1, 1), strict=True
    ):
        await pool.execute(
            """
            INSERT INTO health_checks (account_id, user_id, next_check_at, quota_used, checked_at)
            SELECT id, user_id, now(), $2, now() - $3 * interval '1 hour' FROM accounts WHERE id = $1
            """,
            account_id,
            used,
            hours,
        )
    await put(pool, accounts[6], "quota_until = now() + interval '1 hour'")

    await observe_quota_once(pool)

    uses = ("under_half", "over_half", "over_90", "full")
    assert [sample("accounts_by_quota_use", used=use) for use in uses] == [2, 1, 1, 2]
