"""A person's wish and a worker's call: one of the two came first, and the answer says which."""

import asyncio
import random
from typing import Any

import pytest

from services.api.distributions.steer_distribution import cancel_distribution, pause_distribution, resume_distribution
from services.publisher.publish import publish
from services.publisher.result import write_result
from services.publisher.results import Deferred
from shared.jobs import JobType, PublishPublication, new_job
from shared.publications import Halt, Stopped, stop_publications
from tests.seeds import seed_publications, seed_tenant
from tests.waiting import until

# The calls of a publication, in their order.
_STEPS = ("create_container", "get_container", "media_publish")
_NEW_DISTRIBUTION = """
    WITH made AS (
        INSERT INTO distributions (id, user_id, post_id, window_from, window_to, min_gap_s, seed)
        SELECT gen_random_uuid(), user_id, post_id, now(), now() + interval '1 hour', 0, 1 FROM publications
        WHERE user_id = $1 LIMIT 1
        RETURNING id
    )
    UPDATE publications SET distribution_id = made.id FROM made WHERE publications.user_id = $1
    RETURNING made.id
"""


async def distribution_of(stage, tenant):
    return await stage.pool.fetchval(_NEW_DISTRIBUTION, tenant.user_id)


async def stop(stage, wish):
    async with stage.pool.acquire() as connection, connection.transaction():
        return await stop_publications(
            connection, wish, user_id=stage.tenant.user_id, account_id=stage.tenant.account_ids[0]
        )


async def steer(stage, action, distribution_id, tenant=None, **more):
    async with stage.pool.acquire() as connection, connection.transaction():
        return await action(connection, distribution_id, user_id=(tenant or stage.tenant).user_id, **more)


def during(monkeypatch, stage, call, action):
    """Have `action` done once, while the worker makes this call; gives the list its answer will be in."""
    original = getattr(stage.work.graph, call)
    answers: list[Any] = []

    async def meanwhile(*args, **kwargs):
        if not answers:
            answers.append(await action())
        return await original(*args, **kwargs)

    monkeypatch.setattr(stage.work.graph, call, meanwhile)
    return answers


@pytest.mark.parametrize(
    ("wish", "state", "reason"),
    [(Halt.HOLD, "held", "distribution_paused"), (Halt.CANCEL, "canceled", "canceled_by_user")],
)
async def test_a_wish_that_comes_before_the_call_is_obeyed(stage, monkeypatch, wish, state, reason):
    """The worker gives the publication back where the person wished, and the platform is not asked to publish."""
    answers = during(monkeypatch, stage, "container_status", lambda: stop(stage, wish))

    await stage.run()

    row = await stage.row()
    assert answers == [Stopped(stopped=0, in_flight=[stage.publication_id], sent=[])]
    assert (row["state"], row["reason"], row["attempt"], row["halt"]) == (state, reason, 0, None)
    assert await stage.calls("media_publish") == []


async def test_a_wish_that_comes_after_the_call_hears_that_it_was_sent(stage, monkeypatch):
    """What the platform was asked to publish is published, and the answer has named it."""
    answers = during(monkeypatch, stage, "publish_container", lambda: stop(stage, Halt.CANCEL))

    await stage.run()

    row = await stage.row()
    assert answers == [Stopped(stopped=0, in_flight=[], sent=[stage.publication_id])]
    assert (row["state"], row["halt"]) == ("published", None)


async def test_a_call_that_had_no_effect_is_not_made_again_after_a_wish(stage):
    """It is found out first; once it is certain that nothing is live, the wish is obeyed."""
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)
    await stage.run()
    stopped = await stop(stage, Halt.CANCEL)
    await stage.long_ago()

    await stage.run_when_due()

    row = await stage.row()
    assert stopped == Stopped(stopped=0, in_flight=[], sent=[stage.publication_id])
    assert (row["state"], row["reason"], row["halt"]) == ("canceled", "canceled_by_user", None)
    assert len(await stage.calls("media_publish")) == 1


async def test_a_publication_whose_worker_died_is_not_taken_over_after_a_wish(stage):
    """The wish waits on the row for whoever comes next."""
    await stage.claimed()
    stopped = await stop(stage, Halt.CANCEL)
    await stage.pool.execute("UPDATE publications SET lease_until = now() - interval '1 second'")

    await stage.run()

    row = await stage.row()
    assert stopped.in_flight == [stage.publication_id]
    assert (row["state"], row["reason"], row["attempt"]) == ("canceled", "canceled_by_user", 0)


async def test_what_a_worker_defers_obeys_the_wish(stage):
    """A publication on its way back to the queue does not slip past."""
    publication = await stage.claimed()
    await stop(stage, Halt.HOLD)

    await write_result(stage.work, publication, Deferred(reason="throttled", delay_s=300))

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("held", "distribution_paused", 0)


async def test_a_resumed_distribution_forgets_its_wishes(stage, monkeypatch):
    """Paused and resumed while a worker had it: the worker goes on as if nothing had been."""
    distribution_id = await distribution_of(stage, stage.tenant)

    async def there_and_back():
        paused = await steer(stage, pause_distribution, distribution_id)
        resumed = await steer(stage, resume_distribution, distribution_id, rescue_after_s=60)
        return paused.in_flight, resumed.released

    answers = during(monkeypatch, stage, "container_status", there_and_back)

    await stage.run()

    assert answers == [([stage.publication_id], 0)]
    assert (await stage.row())["state"] == "published"


async def test_a_paused_distribution_holds_what_comes_to_it_later(stage):
    """A message that was sent before the pause finds the gate closed; resuming opens it."""
    distribution_id = await distribution_of(stage, stage.tenant)
    await stage.pool.execute("UPDATE distributions SET paused_at = now()")

    await stage.run()
    held = await stage.row()
    resumed = await steer(stage, resume_distribution, distribution_id, rescue_after_s=60)
    await stage.run()

    assert (held["state"], held["reason"], held["attempt"]) == ("held", "distribution_paused", 0)
    assert (resumed.released, resumed.held) == (1, 0)
    assert (await stage.row())["state"] == "published"


@pytest.mark.parametrize("action", [pause_distribution, cancel_distribution], ids=["pause", "cancel"])
async def test_nothing_is_sent_after_the_answer(stage, action):
    """Twelve workers at it, and the wish comes at any of their steps: only what the answer lists is ever published."""
    async with stage.http.post(f"{stage.emulator_url}/_emulator/accounts", json={"count": 12}) as answer:
        accounts = await answer.json()
    dice = random.Random(1)  # noqa: S311 - steps, no secret
    for _ in range(4):
        tenant = await seed_tenant(stage.pool, instagram=[(a["ig_user_id"], a["access_token"]) for a in accounts])
        ids = await seed_publications(stage.pool, tenant)
        distribution_id = await distribution_of(stage, tenant)

        async def work(publication_id):
            payload = PublishPublication(publication_id=publication_id, revision=1)
            await publish(stage.work, new_job(JobType.POST_PUBLISH, payload, subject=str(publication_id)), payload)

        before = len(await stage.calls("media_publish"))
        endpoint, wanted = dice.choice(_STEPS), dice.randint(1, len(ids))
        already = len(await stage.calls(endpoint))

        async def has_come(endpoint=endpoint, many=already + wanted):
            return len(await stage.calls(endpoint)) >= many

        running = [asyncio.create_task(work(publication_id)) for publication_id in ids]
        await until(has_come, what=f"{wanted} calls of {endpoint}")
        stopped = await steer(stage, action, distribution_id, tenant)
        await asyncio.gather(*running)

        rows = await stage.pool.fetch("SELECT id, state FROM publications WHERE user_id = $1", tenant.user_id)
        published = {row["id"] for row in rows if row["state"] == "published"}
        ended = {row["state"] for row in rows}
        at_answer = len(ids) - stopped.stopped - len(stopped.in_flight)  # published by then, or listed as sent
        assert set(stopped.sent) <= published
        assert not published & set(stopped.in_flight)
        assert len(published) == at_answer == len(await stage.calls("media_publish")) - before
        assert ended <= {"published", "held", "canceled"}
