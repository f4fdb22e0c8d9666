"""What follows from the bands of many accounts: rows, events and releases, in one transaction."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from services.health.effects import Judged, apply_effects
from services.health.end_waivers import Ward, end_waivers_once
from shared.cache import CacheNamespace, CacheService, open_cache
from shared.database import create_pool
from shared.publications import read_candidates
from tests.seeds import seed_publications, seed_tenant
from tests.waiting import until

_PAIRS = [(f"1784140000000000{number}", f"token-{number}") for number in range(1, 5)]

WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
async def pool(database_url):
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


@pytest.fixture
async def tenant(pool):
    return await seed_tenant(pool, instagram=_PAIRS)


async def judge(pool, tenant, *bands):
    """The tenant's accounts are found in these bands, the first one first."""
    judged = [
        Judged(user_id=tenant.user_id, account_id=account_id, band=band)
        for account_id, band in zip(tenant.account_ids, bands, strict=False)
    ]
    async with pool.acquire() as connection, connection.transaction():
        await apply_effects(connection, judged, rescue_after_s=60)


async def cautions(pool, tenant):
    rows = await pool.fetch("SELECT caution FROM accounts WHERE user_id = $1 ORDER BY id", tenant.user_id)
    return [row["caution"] for row in rows]


async def told(pool):
    """The events about caution, oldest first."""
    rows = await pool.fetch("SELECT subject, payload FROM events WHERE type = 'account.caution' ORDER BY tx, seq")
    return [(row["subject"], json.loads(row["payload"])) for row in rows]


async def hold(pool, tenant, reason="health_critical"):
    """What is due for each account is held."""
    ids = await seed_publications(pool, tenant)
    await pool.execute("UPDATE publications SET state = 'held', reason = $1 WHERE id = ANY($2::uuid[])", reason, ids)
    return ids


async def standings(pool, ids):
    rows = await pool.fetch(
        "SELECT state, reason FROM publications WHERE id = ANY($1::uuid[]) ORDER BY account_id", ids
    )
    return [tuple(row) for row in rows]


async def test_each_band_has_its_caution_and_a_change_is_told_once(pool, tenant):
    """Row and event together; what is as it was writes nothing."""
    await judge(pool, tenant, "critical", "at_risk", "degraded", "provisional")
    await judge(pool, tenant, "critical", "at_risk", "watch", "healthy")

    assert await cautions(pool, tenant) == ["held", "halved", "none", "none"]
    assert await told(pool) == [
        (str(tenant.account_ids[0]), {"caution": "held", "band": "critical", "waived_until": None}),
        (str(tenant.account_ids[1]), {"caution": "halved", "band": "at_risk", "waived_until": None}),
    ]


async def test_only_what_evidence_clears_is_released(pool, tenant):
    """Each account by itself, those of several tenants at once; one that stays critical keeps what it holds."""
    other = await seed_tenant(pool, instagram=[("17841400000000009", "token-9")])
    await judge(pool, tenant, *["critical"] * 4)
    await judge(pool, other, "critical")
    mine, theirs = await hold(pool, tenant), await hold(pool, other)
    await pool.execute(
        "UPDATE accounts SET state = 'PAUSED', paused_from = 'ACTIVE' WHERE id = $1", tenant.account_ids[3]
    )
    judged = [
        Judged(user_id=owner.user_id, account_id=account_id, band=band)
        for owner, account_id, band in [
            (other, other.account_ids[0], "healthy"),
            (tenant, tenant.account_ids[0], "at_risk"),
            (tenant, tenant.account_ids[1], "critical"),
            (tenant, tenant.account_ids[3], "healthy"),
        ]
    ]
    async with pool.acquire() as connection, connection.transaction():
        await apply_effects(connection, judged, rescue_after_s=60)

    assert await standings(pool, theirs) == [("scheduled", "released")]
    assert await standings(pool, mine) == [
        ("scheduled", "released"),
        ("held", "health_critical"),
        ("held", "health_critical"),
        ("held", "account_paused"),
    ]


async def test_a_removed_account_stays_as_it_is(pool, tenant):
    """One that is brought back begins without a past."""
    await pool.execute("UPDATE accounts SET removed_at = now()")
    await judge(pool, tenant, "critical")

    assert (await cautions(pool, tenant))[0] == "none"
    assert await told(pool) == []


async def test_two_that_judge_the_same_accounts_never_wait_for_each_other_in_a_circle(pool, tenant):
    """Whatever the order in which they were given: all lock in one."""
    judged = [
        Judged(user_id=tenant.user_id, account_id=account_id, band="critical") for account_id in tenant.account_ids
    ]

    async def once(order):
        async with pool.acquire() as connection, connection.transaction():
            await apply_effects(connection, order, rescue_after_s=60)

    await asyncio.gather(*(once(judged[::step]) for step in (1, -1) * 5))

    assert await cautions(pool, tenant) == ["held"] * 4
    assert len(await told(pool)) == 4


async def test_what_is_let_go_is_locked_in_the_order_of_all(pool, tenant):
    """By id, whatever held it back: a judgement never waits in a circle with who stops a post of these accounts."""
    await judge(pool, tenant, "at_risk", "critical")
    capped, held, *_ = await seed_publications(pool, tenant)
    await pool.execute("UPDATE publications SET reason = 'health_cap' WHERE id = $1", capped)
    await pool.execute("UPDATE publications SET state = 'held', reason = 'health_critical' WHERE id = $1", held)

    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM publications WHERE id = $1 FOR UPDATE", capped)
        judging = asyncio.create_task(judge(pool, tenant, "healthy", "healthy"))
        await until(lambda: pool.fetch(WAITING), what="the judgement waits")
        free = await other.fetch("SELECT FROM publications WHERE id = $1 FOR UPDATE SKIP LOCKED", held)
    await judging

    assert len(free) == 1
    assert await standings(pool, [capped, held]) == [("scheduled", "released")] * 2


async def test_under_a_waiver_a_worse_band_has_no_effect_yet(pool, tenant):
    """The row keeps what is to be in force afterwards; the event tells what is in force now."""
    await pool.execute("UPDATE accounts SET caution_waived_until = now() + interval '1 hour'")
    await judge(pool, tenant, "critical")

    assert (await cautions(pool, tenant))[0] == "held"
    [(_, payload)] = await told(pool)
    assert (payload["caution"], payload["band"]) == ("none", "critical")
    assert payload["waived_until"] is not None


async def test_plans_count_with_the_half(pool, tenant):
    """Of what the platform allows, or of the warm-up's day; where nobody said how much, there is no cap."""
    quota, warmup, unknown, well = tenant.account_ids
    now = datetime.now(UTC)
    await pool.execute("INSERT INTO warmup_protocols VALUES ('test', 'Test', 'For tests.', '{6}', 0, 1.0)")
    await pool.execute("UPDATE accounts SET protocol_id = 'test' WHERE id = $1", warmup)
    await pool.execute("UPDATE accounts SET quota_total = 50 WHERE id = ANY($1::uuid[])", [quota, well])
    await judge(pool, tenant, "at_risk", "at_risk", "at_risk", "healthy")
    async with pool.acquire() as connection:
        candidates = await read_candidates(connection, tenant.account_ids, user_id=tenant.user_id, begin=now, end=now)

    caps = {candidate.account_id: candidate.cap for candidate in candidates}
    assert caps == {quota: 25, warmup: 3, unknown: None, well: 50}


async def test_a_waiver_that_is_over_is_told_once_and_what_is_cached_is_void(pool, tenant, redis_url):
    """However many processes sweep; one that still runs is left alone."""
    await judge(pool, tenant, "critical", "critical")
    over, running = tenant.account_ids[:2]
    await pool.execute("UPDATE accounts SET caution_waived_until = now() - interval '1 second' WHERE id = $1", over)
    await pool.execute("UPDATE accounts SET caution_waived_until = now() + interval '1 hour' WHERE id = $1", running)
    before = len(await told(pool))
    key = CacheService.key(CacheNamespace.ACCOUNT, tenant.user_id, over)
    async with open_cache(redis_url) as cache:
        await cache.set(key, "can_publish", 60)
        await asyncio.gather(*(end_waivers_once(Ward(pool=pool, cache=cache)) for _ in range(3)))
        cached = await cache.get(key)

    assert (await told(pool))[before:] == [(str(over), {"caution": "held", "band": None, "waived_until": None})]
    assert cached is None
    rows = await pool.fetch("SELECT id FROM accounts WHERE caution_waived_until IS NOT NULL")
    assert [row["id"] for row in rows] == [running]
