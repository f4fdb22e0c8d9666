"""`media:check`: half an hour before a post is due its media are fetched, and people are told what was seen."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.publisher.check_media import check_media, plan_on
from shared.database import create_pool
from shared.jobs import CheckMedia, Dead, JobType, Transient, new_job
from shared.security import MediaUrls, PublicFetch
from tests.seeds import seed_publications, seed_tenant
from tests.waiting import until

HOUR_S = 3600.0
AHEAD = timedelta(minutes=30)
WAITING = "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class Host:
    """The server that the picture is fetched from."""

    def __init__(self):
        self.status = 200
        self.requests = 0

    async def answer(self, _request):
        self.requests += 1
        return web.Response(body=b"\xff\xd8\xff", status=self.status, content_type="image/jpeg")


class Stage:
    """A tenant with a post, and its check."""

    def __init__(self, pool, tenant, url):
        self.pool, self.tenant = pool, tenant
        self.fetch = PublicFetch(MediaUrls(url, secret=b"secret of the tests"), public_url=url, from_internet=False)
        self.payload = CheckMedia(user_id=tenant.user_id, post_id=tenant.post_id)
        self.job = new_job(JobType.MEDIA_CHECK, self.payload, subject=str(tenant.post_id))

    async def publish_in(self, seconds):
        [publication_id] = await seed_publications(self.pool, self.tenant, due_in_s=seconds)
        return await self.pool.fetchval("SELECT publish_at FROM publications WHERE id = $1", publication_id)

    async def check(self, fetch="own"):
        await check_media(self.pool, self.fetch if fetch == "own" else fetch, self.job, self.payload)

    async def sent(self):
        """As if the relay had sent the check that waits."""
        await self.pool.execute("DELETE FROM outbox WHERE type = 'media:check'")

    async def planned(self):
        """When checks of the post wait to be sent."""
        rows = await self.pool.fetch("SELECT subject, due_at FROM outbox WHERE type = 'media:check'")
        assert {row["subject"] for row in rows} <= {str(self.tenant.post_id)}
        return [row["due_at"] for row in rows]

    async def events(self):
        rows = await self.pool.fetch("SELECT type FROM events WHERE type LIKE 'media.%' ORDER BY seq")
        return [row["type"] for row in rows]

    async def medium(self):
        return await self.pool.fetchrow("SELECT * FROM media")


@pytest.fixture
def host():
    return Host()


@pytest.fixture
async def stage(database_url, host):
    app = web.Application()
    app.router.add_get("/media/{key}", host.answer)
    async with await create_pool(database_url, application_name="test") as pool, TestServer(app) as server:
        yield Stage(pool, await seed_tenant(pool), str(server.make_url("")).rstrip("/"))


async def test_one_check_waits_for_the_first_publication_that_is_far_enough(stage):
    """It is due half an hour before; what is nearer was looked at already, and later ones change nothing."""
    await stage.publish_in(0)
    await stage.publish_in(HOUR_S / 3)
    assert await stage.planned() == []

    times = []
    for seconds in (10 * HOUR_S, 5 * HOUR_S, 20 * HOUR_S):
        times.append(await stage.publish_in(seconds))

        assert await stage.planned() == [min(times) - AHEAD]


async def test_a_good_check_is_followed_by_one_for_later_publications(stage, host):
    """Who is due within half an hour has been looked at; the next check is for the first after that."""
    await stage.publish_in(HOUR_S / 3)
    later = await stage.publish_in(5 * HOUR_S)
    await stage.sent()

    await stage.check()

    assert host.requests == 1
    assert await stage.planned() == [later - AHEAD]
    assert (await stage.medium())["fetched_at"] is not None
    assert await stage.events() == []


async def test_a_last_check_plans_no_other(stage):
    """Nothing is due later, so nothing more is looked at."""
    await stage.publish_in(HOUR_S / 3)

    await stage.check()

    assert await stage.planned() == []


async def test_a_check_that_is_just_being_sent_does_not_stand_for_later_publications(stage):
    """The relay deletes its row after the check may have run: the next check is planned for all that."""
    await stage.publish_in(HOUR_S / 3)
    later = await stage.publish_in(5 * HOUR_S)
    await stage.pool.execute("UPDATE outbox SET due_at = now() WHERE type = 'media:check'")
    async with stage.pool.acquire() as relay:
        async with relay.transaction():
            await relay.execute("SELECT 1 FROM outbox WHERE type = 'media:check' FOR UPDATE")
            checking = asyncio.create_task(stage.check())
            await until(lambda: relay.fetchval(WAITING), what="the check to wait for the relay")
            await relay.execute("DELETE FROM outbox WHERE type = 'media:check'")
        await checking

    assert await stage.planned() == [later - AHEAD]


async def test_unreachable_media_are_told_once_and_again_when_they_are_back(stage, host):
    """Each look fails the job for its policy; the row keeps since when and why; the publication waits undisturbed."""
    await stage.publish_in(HOUR_S / 3)
    host.status = 404
    for _ in range(2):
        with pytest.raises(Transient, match="status 404"):
            await stage.check()

    lost = await stage.medium()
    assert lost["unreachable_since"] is not None
    assert "404" in lost["unreachable_reason"]
    assert await stage.events() == ["media.unreachable"]
    assert await stage.pool.fetchval("SELECT state FROM publications") == "scheduled"

    host.status = 200
    await stage.check()

    found = await stage.medium()
    assert (found["unreachable_since"], found["unreachable_reason"]) == (None, None)
    assert await stage.events() == ["media.unreachable", "media.reachable"]


async def test_a_check_that_was_given_up_does_not_end_the_checks(stage):
    """Publications that come later get theirs, although the attempts of this one are used up."""
    later = await stage.publish_in(5 * HOUR_S)
    await stage.sent()

    await plan_on(stage.pool, stage.job, stage.payload, Dead(reason="exhausted", error="status 404"))

    assert await stage.planned() == [later - AHEAD]


@pytest.mark.parametrize("why", ["canceled", "off"])
async def test_nothing_is_fetched_without_need(stage, host, why):
    """A post of which nothing waits is not looked at, nor is any where the test is off."""
    await stage.publish_in(HOUR_S / 3)
    if why == "canceled":
        await stage.pool.execute("UPDATE publications SET state = 'canceled'")

    await stage.check(fetch=None if why == "off" else "own")

    assert host.requests == 0
