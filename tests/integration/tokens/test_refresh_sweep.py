"""When tokens are renewed."""

import asyncio

import pytest

from services.scheduler.refresh_tokens import refresh_tokens_once
from shared.instagram import GraphAccount

DAY_S = 86_400


@pytest.mark.parametrize(
    ("state", "asked"), [("ACTIVE", 1), ("PAUSED", 1), ("RESTRICTED", 1), ("NEEDS_REAUTH", 0), ("DISCONNECTED", 0)]
)
async def test_a_due_token_is_asked_for_once_an_hour(clinic, state, asked):
    """Of accounts that may act again; what became of it is looked at an hour later."""
    await clinic.pool.execute(
        "UPDATE accounts SET state = $1, paused_from = CASE WHEN $1 = 'PAUSED' THEN 'ACTIVE' END", state
    )
    await clinic.pool.execute("UPDATE account_tokens SET refresh_at = now()")

    await refresh_tokens_once(clinic.pool)
    first = await clinic.asked()
    await refresh_tokens_once(clinic.pool)

    assert (len(first), await clinic.asked()) == (asked, [])
    assert (await clinic.row())["refresh_in"] == pytest.approx(1 / 24, abs=0.01)


async def test_the_end_of_a_token_is_noticed_when_it_comes(clinic):
    """However the renewals fail, the sweep looks again no later than that."""
    await clinic.pass_days(29.99)

    await refresh_tokens_once(clinic.pool)

    row = await clinic.row()
    assert row["refresh_in"] == pytest.approx(row["expires_in"], abs=0.001)


async def test_two_hundred_days_pass_without_a_hand(clinic):
    """Day by day, with one day's outage of the platform, the account always has a live token."""
    for day in range(200):
        await clinic.pass_days(1)
        if day == 40:
            await clinic.control("faults", endpoint="refresh_token", kind="error", times=1)
        await refresh_tokens_once(clinic.pool)
        for _ in await clinic.asked():
            await asyncio.gather(clinic.refresh(), return_exceptions=True)

    row = await clinic.row()
    assert (row["state"], row["expires_in"] > 20) == ("ACTIVE", True)
    assert (await clinic.surgery.graph.profile(await _account(clinic))).username
    assert 5 <= len(await clinic.events()) <= 8


async def test_tokens_stored_together_are_not_renewed_together(clinic):
    """Each account has a place of its own in the days after half of the life, and never one before a day has passed."""
    places = await clinic.pool.fetch("""
        SELECT extract(epoch FROM token_refresh_at(gen_random_uuid(), now(), now() + life) - now())::float8 / 86400
               AS day
        FROM generate_series(1, 1000), unnest(ARRAY[interval '60 days', NULL, interval '25 hours']) AS life
    """)

    days = sorted(row["day"] for row in places)
    assert (days[0] >= 1, days[-1] <= 36) == (True, True)
    assert sum(day >= 33 for day in days) == pytest.approx(500, abs=100)
    assert len({round(day * DAY_S) for day in days}) > 1500


async def _account(clinic):
    ig_user_id = await clinic.pool.fetchval("SELECT instagram_user_id FROM accounts")
    return GraphAccount(ig_user_id=ig_user_id, access_token=await clinic.token())
