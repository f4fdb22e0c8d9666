"""An incident from the first refusal to the last post: the app rests, loses nothing, and goes on."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from services.health.rescore import Clinic
from services.health.watch_incidents import Watchman, watch_incidents_once
from services.publisher.publish import publish
from shared.instagram import GraphClient, open_gate
from shared.jobs import JobType, PublishPublication, new_job
from tests.seeds import seed_publications, seed_tenant

# A refusal that nobody has seen before: an outage of the whole platform is known in another way.
_REFUSED = {"endpoint": "create_container", "kind": "error", "code": 987_654, "times": 100}
_ACCOUNTS = 10


class Fleet:
    """Ten accounts with a publication each, and the services that act for them."""

    def __init__(self, stage, redis_url, publication_ids, ig_user_ids):
        self.stage, self.redis_url = stage, redis_url
        self.publication_ids, self.ig_user_ids = publication_ids, ig_user_ids

    async def run_all(self):
        """A delivery for each, as if their waits were over; all accounts at once, of each account one at a time."""
        await self.stage.pool.execute("UPDATE publications SET next_attempt_at = now() WHERE state = 'scheduled'")
        payloads = [PublishPublication(publication_id=one, revision=1) for one in self.publication_ids]
        for batch in (payloads[:_ACCOUNTS], payloads[_ACCOUNTS:]):
            jobs = [(new_job(JobType.POST_PUBLISH, one, subject="x"), one) for one in batch]
            await asyncio.gather(*(publish(self.stage.work, *job) for job in jobs))

    async def watch(self):
        clinic = Clinic(pool=self.stage.pool, cache=self.stage.work.cache, rescue_after_s=60)
        await watch_incidents_once(Watchman(clinic=clinic, gate=self.stage.work.gate))

    async def calls(self):
        return len(await self.stage.calls("create_container"))

    async def states(self):
        rows = await self.stage.pool.fetch(
            "SELECT state, reason, attempt FROM publications WHERE id = ANY($1::uuid[])", self.publication_ids
        )
        return Counter(tuple(row) for row in rows)

    async def restarted(self, gate):
        """The publisher as another process, which knows of the pause what Redis tells it."""
        graph = GraphClient(
            self.stage.session,
            base_url=self.stage.emulator_url,
            version="v25.0",
            deadline_s=5,
            publish_deadline_s=1,
            watch=gate,
        )
        self.stage.work = replace(self.stage.work, gate=gate, graph=graph)


@pytest.fixture
async def fleet(stage, redis_url):
    async with stage.http.post(f"{stage.emulator_url}/_emulator/accounts", json={"count": _ACCOUNTS}) as answer:
        accounts = await answer.json()
    tenant = await seed_tenant(
        stage.pool, instagram=[(account["ig_user_id"], account["access_token"]) for account in accounts]
    )
    publication_ids = await seed_publications(stage.pool, tenant)
    return Fleet(stage, redis_url, publication_ids, [account["ig_user_id"] for account in accounts])


async def test_a_third_of_the_accounts_refused_for_one_reason_rests_the_app_and_loses_nothing(fleet):
    """One incident; not one call while it pauses, nor an attempt spent; all are live when it is over."""
    for ig_user_id in fleet.ig_user_ids[:3]:
        await fleet.stage.fault(**_REFUSED, ig_user_id=ig_user_id)
    await fleet.run_all()
    await asyncio.gather(fleet.watch(), fleet.watch())
    before = await fleet.calls()
    again = await seed_publications(fleet.stage.pool, await _tenant_of(fleet))
    fleet.publication_ids += again

    async with open_gate(fleet.redis_url) as other:
        await fleet.restarted(other)
        await fleet.run_all()
        paused, calls = await fleet.states(), await fleet.calls()

    assert await fleet.stage.pool.fetchval("SELECT array_agg(error_class) FROM incidents") == ["unknown"]
    assert calls == before
    # Those that had failed once wait with that one try counted; the ten that came meanwhile have none.
    assert paused == {
        ("published", None, 1): 7,
        ("scheduled", "throttled", 1): 3,
        ("scheduled", "throttled", 0): 10,
    }

    await fleet.stage.http.delete(f"{fleet.stage.emulator_url}/_emulator/faults")
    await fleet.stage.pool.execute("UPDATE publication_attempts SET started_at = started_at - interval '25 minutes'")
    await fleet.stage.pool.execute("UPDATE incidents SET paused_until = now() - interval '20 minutes'")
    async with Redis.from_url(fleet.redis_url) as redis:
        await redis.flushall()
    async with open_gate(fleet.redis_url) as after:
        await fleet.restarted(after)
        await fleet.run_all()
        await fleet.watch()

    assert {state for state, _, _ in await fleet.states()} == {"published"}
    assert await fleet.stage.pool.fetchval("SELECT bool_and(closed_at IS NOT NULL) FROM incidents")
    assert await fleet.stage.pool.fetchval("SELECT array_agg(state) FROM alerts") == ["resolved"]


async def _tenant_of(fleet):
    row = await fleet.stage.pool.fetchrow(
        "SELECT user_id, post_id FROM publications WHERE id = $1", fleet.publication_ids[0]
    )
    ids = await fleet.stage.pool.fetch("SELECT id FROM accounts WHERE user_id = $1 ORDER BY id", row["user_id"])
    return replace(
        fleet.stage.tenant, user_id=row["user_id"], post_id=row["post_id"], account_ids=[one["id"] for one in ids]
    )
