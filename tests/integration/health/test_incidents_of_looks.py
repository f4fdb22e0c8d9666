"""Tokens that the platform suddenly takes no more are an incident too, also where nothing is published."""

import pytest

from services.health.watch_incidents import Watchman, watch_incidents_once
from shared.database import Row


async def watch(clinic):
    """One sweep for incidents, by a process that is not held by what it learned before."""
    await watch_incidents_once(Watchman(clinic=clinic.surgery, gate=clinic.surgery.gate))


async def incidents(clinic) -> list[Row]:
    return list(await clinic.pool.fetch("SELECT * FROM incidents ORDER BY opened_at"))


async def scores(clinic):
    return [row["score"] for row in await clinic.pool.fetch("SELECT score FROM health_scores")]


async def age_tokens(clinic):
    """As if the tokens had been stored yesterday, and looked at since."""
    await clinic.pool.execute("UPDATE account_tokens SET obtained_at = now() - interval '1 day'")


@pytest.fixture
async def five(open_clinics):
    """Five accounts whose tokens were taken, and are due for a look."""
    clinic = await open_clinics(accounts=5)
    await age_tokens(clinic)
    await clinic.sweep()
    await clinic.come_due()
    return clinic


async def open_incident(clinic, *, minutes_ago=0):
    """An incident of tokens whose pause is over."""
    await clinic.pool.execute(
        """
        INSERT INTO incidents (id, error_class, accounts, share, user_ids, opened_at, paused_until)
        VALUES (gen_random_uuid(), 'reauth', 3, 0.6, ARRAY[$1::uuid], now() - make_interval(mins => $2),
                now() - make_interval(mins => $2))
        """,
        clinic.tenant.user_id,
        minutes_ago,
    )


async def test_tokens_that_are_refused_at_once_are_one_incident_and_nobody_is_blamed(five):
    """The platform refuses three of five tokens that it took until now: the app rests, and no score suffers."""
    await five.fail(190, times=3)
    await five.sweep()
    blamed = await scores(five)

    await watch(five)

    [incident] = await incidents(five)
    assert (incident["error_class"], incident["accounts"], incident["share"]) == ("reauth", 3, 0.6)
    assert list(incident["user_ids"]) == [five.tenant.user_id]
    assert await five.surgery.gate.admit("anybody") is not None
    assert (min(blamed), min(await scores(five))) == (10, 97)


async def test_two_refused_tokens_are_their_accounts_trouble(five):
    """Fewer than three accounts are never an incident."""
    await five.fail(190, times=2)
    await five.sweep()

    await watch(five)

    assert await incidents(five) == []


@pytest.mark.parametrize("news", ["never taken", "another token"])
async def test_tokens_that_came_bad_are_their_accounts_trouble(five, news):
    """An import of dead tokens pauses nobody: of a token that was never taken nothing has changed."""
    if news == "never taken":
        await five.pool.execute("UPDATE health_checks SET finding = NULL, checked_at = NULL")
    else:
        await five.pool.execute("UPDATE account_tokens SET obtained_at = now()")
    await five.fail(190, times=5)
    await five.sweep()

    await watch(five)

    assert await five.pool.fetchval("SELECT count(*) FROM health_checks WHERE finding = 'reauth'") == 5
    assert await incidents(five) == []


async def test_accounts_that_stay_refused_are_no_news(five):
    """Old problem accounts come for their looks again and again; that opens no incident."""
    await five.fail(190, times=3)
    await five.sweep()
    await five.pool.execute("UPDATE health_checks SET refused_at = refused_at - interval '16 minutes'")

    await watch(five)

    assert await incidents(five) == []


async def test_what_is_refused_after_the_pause_lengthens_it(five):
    """The accounts that the incident hit count as long as they are refused; looks before the pause do not."""
    await five.fail(190, times=3)
    await five.sweep()
    await open_incident(five)
    await five.pool.execute("UPDATE health_checks SET checked_at = checked_at - interval '1 minute'")
    await watch(five)
    [before] = await incidents(five)
    await five.come_due()
    await five.fail(190, times=3)
    await five.sweep()

    await watch(five)

    [after] = await incidents(five)
    assert (before["pauses"], after["pauses"], after["closed_at"]) == (1, 2, None)


async def test_whom_it_hit_is_asked_for_again_and_comes_back(five):
    """A publisher had taken an account to NEEDS_REAUTH: when it is over, one good look brings it back, unblamed."""
    await open_incident(five, minutes_ago=70)
    await five.sweep()
    await five.pool.execute(
        "UPDATE accounts SET state = 'NEEDS_REAUTH', state_reason = 'reauth_required', "
        "flagged_at = now() - interval '1 hour' WHERE id = $1",
        five.tenant.account_ids[0],
    )

    await watch(five)
    hit, other = await five.row(0), await five.row(1)
    during = hit["band"]
    await five.come_due()
    await five.sweep()

    assert [row["closed_at"] is None for row in await incidents(five)] == [False]
    assert (hit["next_s"] <= 300, hit["ask_s"] <= 0, other["ask_s"] > 300) == (True, True, True)
    assert (during, (await five.row(0))["state"]) == ("provisional", "ACTIVE")


async def test_when_it_is_over_a_token_that_stays_refused_is_given_up(five):
    """Nobody is spared for good: the look that follows the incident says how it stands."""
    await open_incident(five, minutes_ago=70)
    await five.fail(190, times=1)
    await five.sweep()
    [refused] = await five.pool.fetch("SELECT account_id FROM health_checks WHERE finding = 'reauth'")
    await watch(five)
    await five.come_due()
    await five.pool.execute("UPDATE health_checks SET ask_at = 'infinity' WHERE finding = 'ok'")
    await five.fail(190, times=1)

    await five.sweep()

    states = dict(await five.pool.fetch("SELECT id, state FROM accounts"))
    assert [account_id for account_id, state in states.items() if state == "NEEDS_REAUTH"] == [refused["account_id"]]
