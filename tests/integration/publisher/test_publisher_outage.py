"""An outage of the platform and its limits of calls: publications wait with the reason, lose nothing, and go on."""

import asyncio
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from services.publisher.publish import publish
from shared.jobs import JobType, PublishPublication, new_job
from tests.seeds import seed_publications, seed_tenant
from tests.waiting import until


class Crowd:
    """Several accounts of one tenant, with a publication each."""

    def __init__(self, stage, redis, publication_ids, ig_user_ids):
        self.stage, self.redis = stage, redis
        self.publication_ids, self.ig_user_ids = publication_ids, ig_user_ids

    async def run(self, publication_id, *, work=None):
        """One delivery of a publication's message."""
        payload = PublishPublication(publication_id=publication_id, revision=1)
        job = new_job(JobType.POST_PUBLISH, payload, subject=str(publication_id))
        return await publish(work or self.stage.work, job, payload)

    async def run_all(self):
        """A delivery for each that waits, all at once, as if their waits were over."""
        await self.stage.pool.execute("UPDATE publications SET next_attempt_at = now() WHERE state = 'scheduled'")
        await asyncio.gather(*(self.run(publication_id) for publication_id in self.publication_ids))

    async def goes_down(self):
        """From now on every call fails with a server error."""
        await self.stage.fault(endpoint="any", kind="http_500", times=1_000)

    async def heals(self):
        """From now on every call is answered."""
        async with self.stage.http.delete(f"{self.stage.emulator_url}/_emulator/faults") as answer:
            assert answer.status < 300, await answer.text()

    async def pause_ends(self):
        """As if the time until the next probe were over."""
        await self.redis.delete("ig:probe")

    async def goes_on(self):
        """Until a probe has found the platform healed, and what waited has been brought forward."""

        async def is_back():
            await self.pause_ends()
            await self.run_all()
            return ("published", None) in await self.states()

        async def none_waits():
            return ("scheduled", "platform_down") not in await self.states()

        await until(is_back, what="a probe that gets through")
        await until(none_waits, what="the waiting publications to be brought forward")

    async def calls(self):
        return len(await self.stage.calls("create_container"))

    async def rows(self):
        return await self.stage.pool.fetch(
            "SELECT * FROM publications WHERE id = ANY($1::uuid[]) ORDER BY id", self.publication_ids
        )

    async def states(self):
        return Counter((row["state"], row["reason"]) for row in await self.rows())


@pytest.fixture
async def crowd(stage, redis_url):
    """Six accounts on the stage."""
    async with stage.http.post(f"{stage.emulator_url}/_emulator/accounts", json={"count": 6}) as answer:
        accounts = await answer.json()
    tenant = await seed_tenant(
        stage.pool, instagram=[(account["ig_user_id"], account["access_token"]) for account in accounts]
    )
    publication_ids = await seed_publications(stage.pool, tenant)
    async with Redis.from_url(redis_url) as redis:
        yield Crowd(stage, redis, publication_ids, [account["ig_user_id"] for account in accounts])


async def test_in_an_outage_publications_wait_and_one_at_a_time_tries(crowd):
    """Sixty-four workers hammering a platform that is down help nobody, and use up what attempts are for."""
    await crowd.goes_down()
    for publication_id in crowd.publication_ids:
        await crowd.run(publication_id)
    calls = [await crowd.calls()]

    async def three_probes():
        await crowd.pause_ends()
        await crowd.run_all()
        calls.append(await crowd.calls())
        return calls[-1] >= calls[0] + 3

    await until(three_probes, what="three probes")
    rows = await crowd.rows()
    assert calls[0] == 4  # three accounts are the evidence, the fourth is the first probe
    assert max(after - before for before, after in pairwise(calls)) == 1
    assert {row["state"] for row in rows} == {"scheduled"}
    assert await crowd.states() == {("scheduled", "platform_down"): 6}
    assert {row["attempt"] for row in rows} == {0}


async def test_when_the_platform_is_back_all_are_published_without_anybody_acting(crowd):
    """The probe's success brings forward what waits: seconds, not the minutes of a wait that has lost its reason."""
    await crowd.goes_down()
    for _ in range(2):
        await crowd.run_all()
    await crowd.heals()

    await crowd.goes_on()

    waited = (await crowd.states())["scheduled", "platform_back"]
    assert await crowd.states() == {("published", None): 6 - waited, ("scheduled", "platform_back"): waited}
    due = await crowd.stage.pool.fetch(
        """
        SELECT outbox.due_at = next_attempt_at AS same, next_attempt_at < now() + interval '6 seconds' AS soon
        FROM publications JOIN outbox ON outbox.subject = publications.id::text
        WHERE reason = 'platform_back'
        """
    )
    assert [tuple(row) for row in due] == [(True, True)] * waited
    assert waited > 0

    await crowd.run_all()
    assert await crowd.states() == {("published", None): 6}


class Slow:
    """A gate before which much happens between its answer and what is made of it."""

    def __init__(self, gate, meanwhile):
        self._gate, self._meanwhile = gate, meanwhile

    def __getattr__(self, name):
        return getattr(self._gate, name)

    async def admit(self, ig_user_id):
        answer = await self._gate.admit(ig_user_id)
        await self._meanwhile()
        return answer


async def test_a_wait_that_is_written_after_the_outage_has_ended_is_brought_forward_too(crowd):
    """It was told to wait while the platform was down, and what followed the end has looked already."""
    late, *crowd.publication_ids = crowd.publication_ids
    await crowd.goes_down()
    await crowd.run_all()
    await crowd.heals()
    await crowd.redis.set("ig:probe", 1, ex=60)
    slow = replace(crowd.stage.work, gate=Slow(crowd.stage.work.gate, meanwhile=crowd.goes_on))

    await crowd.run(late, work=slow)

    async def is_told():
        return await crowd.stage.pool.fetchval("SELECT reason FROM publications WHERE id = $1", late) == "platform_back"

    await until(is_told, what="the late one to be brought forward")


async def test_a_single_account_loses_nothing_in_a_long_outage(stage, redis_url):
    """Nobody else's failures tell it from a hiccup: before its last attempt counts, a cheap read does."""
    await stage.fault(endpoint="any", kind="http_500", times=25)
    seen: list[str] = []

    async with Redis.from_url(redis_url) as redis:
        while (await stage.row())["state"] == "scheduled" and len(seen) < 200:
            await redis.delete("ig:probe")
            await stage.run_when_due()
            seen.append((await stage.row())["reason"])

    assert (await stage.row())["state"] == "published"
    assert seen[:3] == ["platform_error", "platform_error", "platform_down"]
    assert len(seen) > 20  # three attempts, and twenty tries
    assert len(await stage.live()) == 1


async def test_a_publish_call_whose_effect_is_open_waits_as_well_and_is_never_sent_again(crowd):
    """A look-up is a call too; the mark of the call that was sent is kept until the look can be made."""
    first, its_account = crowd.publication_ids[0], crowd.ig_user_ids[0]
    await crowd.stage.fault(endpoint="media_publish", kind="drop_after", times=1, ig_user_id=its_account)
    await crowd.stage.fault(endpoint="list_media", kind="http_500", times=1, ig_user_id=its_account)
    await crowd.run(first)
    await crowd.goes_down()
    await crowd.run_all()

    await crowd.run_all()
    waiting = (await crowd.rows())[0]
    await crowd.heals()
    await crowd.goes_on()
    await crowd.run_all()

    assert (waiting["reason"], waiting["step"], waiting["publish_sends"]) == ("platform_down", "publish_sent", 1)
    assert await crowd.states() == {("published", None): 6}
    assert len(await crowd.stage.live()) == 6


async def test_an_account_that_is_throttled_waits_alone(crowd):
    """The others are published, and nobody calls for it before the end that the platform told."""
    await crowd.stage.fault(endpoint="any", kind="throttle", times=1, seconds=1_800, ig_user_id=crowd.ig_user_ids[0])
    await crowd.run(crowd.publication_ids[0])
    before = await crowd.calls()

    await crowd.run_all()

    assert await crowd.states() == {("scheduled", "throttled"): 1, ("published", None): 5}
    assert await crowd.calls() == before + 5
    [waiting] = [row for row in await crowd.rows() if row["state"] == "scheduled"]
    assert waiting["attempt"] == 0
    assert 1_600 < (waiting["next_attempt_at"] - waiting["updated_at"]).total_seconds() < 2_400


async def test_an_app_that_is_throttled_makes_no_call_at_all(crowd):
    """The limit is of all accounts together, and each call made meanwhile lengthens it."""
    await crowd.stage.fault(endpoint="any", kind="throttle", times=1, code=4)
    await crowd.run(crowd.publication_ids[0])
    before = await crowd.calls()

    await crowd.run_all()

    assert await crowd.states() == {("scheduled", "throttled"): 6}
    assert await crowd.calls() == before
    assert {row["attempt"] for row in await crowd.rows()} == {0}
