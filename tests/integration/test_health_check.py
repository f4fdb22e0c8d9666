"""The account check on real servers, with the platform's stand-in."""

import json
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from deploy.emulator import create_app
from services.health.check_account import Surgery, check_account
from shared.cache import CacheNamespace, open_cache
from shared.database import create_pool
from shared.instagram import GraphClient, open_gate, open_graph_session
from shared.jobs import CheckAccount, JobType, new_job
from tests.seeds import CIPHER, seed_publications, seed_tenant


class Clinic:
    """What a check needs, and one account to check."""

    def __init__(self, *, surgery, tenant, http, emulator_url):
        self.surgery, self.tenant, self.http, self.emulator_url = surgery, tenant, http, emulator_url
        self.pool = surgery.pool

    async def check(self):
        payload = CheckAccount(user_id=self.tenant.user_id, account_id=self.tenant.account_ids[0])
        await check_account(self.surgery, new_job(JobType.HEALTH_CHECK, payload, subject="x"), payload)
        return await self.pool.fetchrow("SELECT * FROM health_scores")


@pytest.fixture
async def clinic(database_url, redis_url):
    """Everything a check needs, on real servers."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(database_url, application_name="test"))
        cache = await stack.enter_async_context(open_cache(redis_url))
        emulator = TestServer(create_app())
        await emulator.start_server()
        stack.push_async_callback(emulator.close)
        url = str(emulator.make_url("")).rstrip("/")
        http = await stack.enter_async_context(ClientSession())
        session = await stack.enter_async_context(open_graph_session())
        async with http.post(f"{url}/_emulator/accounts", json={"count": 1}) as answer:
            [account] = await answer.json()
        tenant = await seed_tenant(pool, instagram=[(account["ig_user_id"], account["access_token"])])
        gate = await stack.enter_async_context(open_gate(redis_url))
        graph = GraphClient(session, base_url=url, version="v25.0", deadline_s=5, publish_deadline_s=5, watch=gate)
        surgery = Surgery(pool=pool, graph=graph, gate=gate, cipher=CIPHER, cache=cache)
        yield Clinic(surgery=surgery, tenant=tenant, http=http, emulator_url=url)


async def test_a_new_account_is_provisional_with_what_is_known(clinic):
    """A live token and no publications: nothing is claimed beyond that."""
    score = await clinic.check()

    assert (score["band"], score["confidence"], score["formula_version"]) == ("provisional", 0.0, 1)
    assert set(json.loads(score["components"])) == {"access", "publishing"}
    assert json.loads(score["gates"]) == {}


async def test_a_token_the_platform_refuses_caps_the_score(clinic):
    """The read at the platform decides, not the date in our row."""
    await clinic.http.post(
        f"{clinic.emulator_url}/_emulator/faults",
        json={"endpoint": "get_account", "kind": "error", "times": 1, "code": 190, "subcode": 460},
    )

    score = await clinic.check()

    assert (score["score"], score["band"]) == (10, "critical")
    assert [reason["code"] for reason in json.loads(score["reasons"])] == ["token_dead"]


async def test_a_platform_that_is_away_proves_nothing_against_the_account(clinic):
    """A read that fails never disconnects."""
    await clinic.http.post(
        f"{clinic.emulator_url}/_emulator/faults", json={"endpoint": "get_account", "kind": "error", "times": 1}
    )

    score = await clinic.check()

    assert score["band"] == "provisional"


async def test_only_the_accounts_own_failures_count(clinic):
    """A failure of the platform weighs nothing, one of the account does."""
    unjudged = await clinic.check()
    await _fail(clinic, "transient")
    unharmed = await clinic.check()
    await _fail(clinic, "reauth")
    harmed = await clinic.check()

    publishing = [json.loads(score["components"])["publishing"] for score in (unjudged, unharmed, harmed)]
    assert publishing[0] == publishing[1] > publishing[2]


async def _fail(clinic, error_class):
    await seed_publications(clinic.pool, clinic.tenant)
    await clinic.pool.execute(
        "UPDATE publications SET state = 'failed', error = $1::jsonb WHERE state = 'scheduled'",
        json.dumps({"class": error_class}),
    )


async def test_a_changed_score_is_not_served_stale(clinic):
    """The cache forgets what was judged anew."""
    user_id, account_id = clinic.tenant.user_id, clinic.tenant.account_ids[0]
    cache = clinic.surgery.cache
    key = cache.key(CacheNamespace.HEALTH, user_id, account_id)
    await cache.set(key, {"score": 0}, 300)

    await clinic.check()

    assert await cache.get(key) is None


async def test_an_account_that_is_gone_is_no_failure(clinic):
    """A message may outlive its account."""
    await clinic.pool.execute("DELETE FROM accounts")

    assert await clinic.check() is None
