"""One class of error that hits many accounts at once: an incident of the app, its pauses, and its end."""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from services.health.rescore import Clinic, rescore
from services.health.watch_incidents import Watchman, watch_incidents_once
from shared.cache import CacheNamespace, CacheService, open_cache
from shared.database import create_pool
from tests.gates import PATIENCE_S, process_on
from tests.seeds import seed_publications, seed_tenant


class Scene:
    """Two tenants with five accounts each, and processes that watch."""

    def __init__(self, pool, cache, redis_url, tenants):
        self.pool, self.cache, self.redis_url, self.tenants = pool, cache, redis_url, tenants

    def watchman(self, process):
        clinic = Clinic(pool=self.pool, cache=self.cache, rescue_after_s=60)
        return Watchman(clinic=clinic, gate=process.gate)

    async def watch(self):
        """One sweep of a process that has just begun; gives whether it then holds the app."""
        async with process_on(self.redis_url, operation_s=PATIENCE_S) as process:
            await watch_incidents_once(self.watchman(process))
            return await process.admit("somebody") is not None

    async def tried(self, *results, minutes_ago=1):
        """A try of each account in turn: `published`, a class of error, or None where the gate turned it away."""
        account_ids = [account_id for tenant in self.tenants for account_id in tenant.account_ids]
        ids = [one for tenant in self.tenants for one in await seed_publications(self.pool, tenant)]
        assert len(ids) == len(account_ids) >= len(results)
        rows = [(one, *self.told(result), minutes_ago) for one, result in zip(ids, results, strict=False)]
        await self.pool.executemany(
            """
            INSERT INTO publication_attempts (publication_id, epoch, user_id, attempt, worker, account_id, outcome,
                                              error, started_at, ended_at)
            SELECT id, 1, user_id, 1, 'w1', account_id, $2, $3::jsonb, now() - make_interval(mins => $4), now()
            FROM publications WHERE id = $1
            """,
            rows,
        )

    @staticmethod
    def told(result):
        if result in {"published", None}:
            return result or "throttled", None
        return "platform_error", json.dumps({"class": result, "message": "refused"})

    async def later(self, minutes):
        """As if so many minutes had passed since all that is known."""
        await self.pool.execute(
            "UPDATE publication_attempts SET started_at = started_at - make_interval(mins => $1)", minutes
        )
        await self.pool.execute(
            """
            UPDATE incidents
            SET paused_until = paused_until - make_interval(mins => $1),
                opened_at = opened_at - make_interval(mins => $1)
            """,
            minutes,
        )
        async with Redis.from_url(self.redis_url) as redis:
            await redis.flushall()

    async def incidents(self):
        return await self.pool.fetch(
            "SELECT *, round(extract(epoch FROM paused_until - now())) AS left_s FROM incidents ORDER BY opened_at"
        )

    async def alerts(self):
        rows = await self.pool.fetch("SELECT user_id, state FROM alerts WHERE code = 'app_incident'")
        return Counter((row["user_id"], row["state"]) for row in rows)

    async def told_of(self):
        """The states that events told each tenant of."""
        rows = await self.pool.fetch("SELECT user_id, payload FROM events WHERE type = 'swarm.incident'")
        return Counter((row["user_id"], json.loads(row["payload"])["state"]) for row in rows)


@pytest.fixture
async def scene(database_url, redis_url):
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(database_url, application_name="test"))
        cache = await stack.enter_async_context(open_cache(redis_url))
        tenants = [
            await seed_tenant(pool, instagram=[(f"1784140000000{tenant}{number}", "token") for number in range(5)])
            for tenant in (1, 2)
        ]
        yield Scene(pool, cache, redis_url, tenants)


async def test_a_class_that_hits_many_accounts_is_one_incident_and_the_app_rests(scene):
    """Three of ten are refused for one reason: their tenants are told once, and no process calls the platform."""
    first, second = (tenant.user_id for tenant in scene.tenants)
    await scene.tried("reauth", "reauth", *["published"] * 3, "reauth", *["published"] * 4)
    key = CacheService.key(CacheNamespace.HEALTH_SWARM, first)
    await scene.cache.set(key, "as it was", 60)
    async with (
        process_on(scene.redis_url, operation_s=PATIENCE_S) as watching,
        process_on(scene.redis_url, operation_s=PATIENCE_S) as publishing,
    ):
        await watch_incidents_once(scene.watchman(watching))
        wait = await publishing.admit("anybody")
        await watch_incidents_once(scene.watchman(watching))

    [incident] = await scene.incidents()
    assert (incident["error_class"], incident["accounts"], incident["share"]) == ("reauth", 3, 0.3)
    assert (incident["pauses"], set(incident["user_ids"])) == (1, {first, second})
    assert (wait.reason, 200 < wait.delay_s < 400) == ("throttled", True)
    assert await scene.alerts() == {(first, "open"): 1, (second, "open"): 1}
    assert await scene.told_of() == {(first, "opened"): 1, (second, "opened"): 1}
    assert await scene.cache.get(key) is None


@pytest.mark.parametrize(
    ("results", "minutes_ago"),
    [
        (["reauth"] * 2, 1),
        (["throttled"] * 2 + ["published"] * 8, 1),
        (["fix_content"] * 10, 1),
        ([None] * 10, 1),
        (["reauth"] * 10, 16),
        (["reauth", "reauth", "restricted", "restricted", "transient", "transient"], 1),
        (["spam_suspected"] * 5, 1),
    ],
    ids=["two", "a fifth of few", "content", "turned away", "long ago", "of different classes", "one post"],
)
async def test_what_is_the_accounts_own_trouble_is_no_incident(scene, results, minutes_ago):
    """Too few, too long ago, or of a class that says nothing of the app."""
    await scene.tried(*results, minutes_ago=minutes_ago)

    assert await scene.watch() is False
    assert await scene.incidents() == []


async def test_what_two_posts_meet_is_the_apps_trouble(scene):
    """One post that the platform takes for spam is that post's, on however many accounts; two are no chance."""
    await scene.tried(*[None] * 4, *["spam_suspected"] * 6)

    assert await scene.watch() is True
    assert [row["error_class"] for row in await scene.incidents()] == ["spam_suspected"]


async def test_who_was_turned_away_has_not_tried(scene):
    """The share is of the accounts that the platform answered: waiting ones do not hide it."""
    await scene.tried("transient", "transient", "transient", *[None] * 7)

    assert await scene.watch() is True
    assert [row["share"] for row in await scene.incidents()] == [1.0]


async def test_processes_that_see_it_at_once_open_one_and_double_once(scene):
    """However many sweep: one row, one pause each time, and each tenant told once."""
    await scene.tried(*["throttled"] * 5)
    await asyncio.gather(*(scene.watch() for _ in range(3)))
    await scene.later(minutes=6)
    await scene.tried(*["throttled"] * 10, minutes_ago=0)
    await asyncio.gather(*(scene.watch() for _ in range(3)))

    [incident] = await scene.incidents()
    first, second = (tenant.user_id for tenant in scene.tenants)
    assert (incident["pauses"], incident["left_s"]) == (2, 600)
    assert await scene.alerts() == {(first, "open"): 1, (second, "open"): 1}
    assert await scene.told_of() == {
        (first, "opened"): 1,
        (first, "paused_again"): 1,
        (second, "paused_again"): 1,
    }


async def test_what_was_tried_before_a_pause_lengthens_it_not(scene):
    """Only what fails after the pause says that it was too short."""
    await scene.tried(*["restricted"] * 10)
    await scene.watch()
    await scene.later(minutes=6)

    held = await scene.watch()

    [incident] = await scene.incidents()
    assert (held, incident["pauses"], incident["closed_at"]) == (False, 1, None)


@pytest.mark.parametrize(
    ("minutes", "results", "closed"),
    [(15, ["published"], False), (21, ["published"], True), (21, [], False), (66, [], True), (21, ["reauth"], False)],
    ids=["too early", "went well", "silence", "an hour of silence", "one still fails"],
)
async def test_it_ends_after_a_quarter_of_an_hour_that_went_well(scene, minutes, results, closed):
    """Alerts are resolved and its tenants told; silence takes an hour."""
    await scene.tried(*["reauth"] * 5)
    await scene.watch()
    await scene.later(minutes=minutes)
    await scene.tried(*results)

    await scene.watch()

    user_id = scene.tenants[0].user_id
    [incident] = await scene.incidents()
    assert (incident["closed_at"] is not None) is closed
    assert await scene.alerts() == {(user_id, "resolved" if closed else "open"): 1}
    assert (await scene.told_of())[user_id, "closed"] == int(closed)


async def test_a_redis_that_forgot_the_pause_is_told_again(scene):
    """The row says until when nobody calls."""
    await scene.tried(*["transient"] * 5)
    await scene.watch()
    async with Redis.from_url(scene.redis_url) as redis:
        await redis.flushall()

    assert await scene.watch() is True


async def test_what_was_counted_against_accounts_is_taken_back(scene):
    """The first of them were judged before anybody could know that it was the app's trouble."""
    hit = scene.tenants[0].account_ids
    await scene.tried(*["reauth"] * 5)
    async with process_on(scene.redis_url, operation_s=PATIENCE_S) as process:
        watchman = scene.watchman(process)
        await rescore(watchman.clinic, hit)
        blamed = await scene.pool.fetch("SELECT score FROM health_scores")
        await watch_incidents_once(watchman)

    cleared = await scene.pool.fetch("SELECT score FROM health_scores")
    assert max(row["score"] for row in blamed) < 90
    assert [row["score"] for row in cleared] == [97] * 5
