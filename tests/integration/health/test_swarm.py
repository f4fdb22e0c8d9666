"""All accounts of a tenant seen together."""

import json
import statistics
from datetime import timedelta

import pytest

from shared.accounts import BANDS, read_swarm
from shared.database import create_pool
from tests.seeds import seed_tenant

_PAIRS = [(str(17841400000000000 + number), f"token-{number}") for number in range(12)]
_REASON = {"code": "token_dead", "text": "The access token is over.", "advice": "Connect the account again."}


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


@pytest.fixture
async def tenant(pool):
    return await seed_tenant(pool, instagram=_PAIRS)


async def judge(pool, tenant, scores, *, exposures=None, band="healthy", reasons=()):
    """These scores, the first account's first."""
    rows = [
        (account_id, tenant.user_id, score, band, json.dumps(list(reasons)), exposure)
        for account_id, score, exposure in zip(tenant.account_ids, scores, exposures or [1] * len(scores), strict=False)
    ]
    await pool.executemany(
        """
        INSERT INTO health_scores (account_id, user_id, score, band, confidence, components, gates, reasons,
                                   formula_version, computed_at, exposure)
        VALUES ($1, $2, $3, $4, 1, '{}', '{}', $5::jsonb, 1, now(), $6)
        """,
        rows,
    )


async def seen(pool, tenant):
    async with pool.acquire() as connection:
        return await read_swarm(connection, user_id=tenant.user_id)


async def test_the_score_is_the_weighed_mean_and_the_tail(pool, tenant):
    """0.6 of what most publications meet and 0.4 of what the worst tenth of the accounts does."""
    scores = [10, 90, 80, 100, 70, 95, 85, 60, 100, 75, 50]
    exposures = [20, 1, 2, 3, 1, 1, 7, 1, 1, 1, 1]
    await judge(pool, tenant, scores, exposures=exposures)

    swarm = await seen(pool, tenant)

    mean = statistics.fmean(scores, weights=exposures)
    p10 = statistics.quantiles(scores, n=10, method="inclusive")[0]
    assert (swarm.accounts, swarm.judged) == (12, 11)
    assert (swarm.mean, swarm.p10) == (round(mean, 1), round(p10, 1))
    assert swarm.score == round(0.6 * mean + 0.4 * p10, 1)


async def test_nothing_is_said_of_what_nobody_has_judged(pool, tenant):
    """No score is no zero, and no accounts are no ratio."""
    nobody = await seed_tenant(pool, instagram=[])

    unjudged, empty = await seen(pool, tenant), await seen(pool, nobody)

    assert (unjudged.accounts, unjudged.judged, unjudged.score, unjudged.p10) == (12, 0, None, None)
    assert (unjudged.publishable_ratio, empty.publishable_ratio) == (1.0, None)
    assert (empty.accounts, empty.bands, empty.worst) == (0, dict.fromkeys(BANDS, 0), [])


async def test_who_can_publish_is_told_by_state_and_caution(pool, tenant):
    """A person's waiver counts while it lasts; who is halved still publishes; who was removed is not there."""
    changes = (
        "state = 'NEEDS_REAUTH', token_expires_at = now() - interval '9 days'",
        "caution = 'held'",
        "caution = 'held', caution_waived_until = now() + interval '1 hour'",
        "caution = 'held', caution_waived_until = now() - interval '1 hour'",
        "caution = 'halved'",
        "removed_at = now(), token_expires_at = now()",
        "removed_at = now(), state = 'DISCONNECTED'",
        "token_expires_at = now() + interval '3 days'",
    )
    for account_id, change in zip(tenant.account_ids, changes, strict=False):
        await pool.execute(f"UPDATE accounts SET {change} WHERE id = $1", account_id)  # noqa: S608 - of this file

    swarm = await seen(pool, tenant)

    now = await pool.fetchval("SELECT now()")
    assert swarm.publishable_ratio == 7 / 10
    assert timedelta(days=2) < swarm.earliest_token_expiry - now < timedelta(days=3)


async def test_the_worst_are_named_with_their_first_reason(pool, tenant):
    """Five at most, the lowest first, of those that are there."""
    await judge(pool, tenant, [50, 40, 30, 20, 10, 0, 60], band="critical", reasons=[_REASON, {**_REASON, "code": "b"}])
    await pool.execute("UPDATE accounts SET removed_at = now() WHERE id = $1", tenant.account_ids[5])

    swarm = await seen(pool, tenant)

    assert [worst.score for worst in swarm.worst] == [10, 20, 30, 40, 50]
    assert (swarm.worst[0].account_id, swarm.worst[0].reason) == (tenant.account_ids[4], _REASON)
    assert swarm.bands == {**dict.fromkeys(BANDS, 0), "critical": 6}


async def test_open_incidents_are_shown(pool, tenant):
    """Which class, since when, and until when nobody calls the platform; what is over is not."""
    await pool.execute(
        """
        INSERT INTO incidents (id, error_class, accounts, share, user_ids, paused_until, closed_at)
        VALUES (gen_random_uuid(), 'reauth', 3, 1, '{}', now() + interval '5 minutes', NULL),
               (gen_random_uuid(), 'throttled', 3, 1, '{}', now(), now())
        """
    )

    [incident] = (await seen(pool, tenant)).incidents

    assert incident.error_class == "reauth"
    assert incident.paused_until - incident.since == timedelta(minutes=5)
