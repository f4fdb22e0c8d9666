"""The publisher's try against a real database and the platform's stand-in: every fault ends where it should."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from deploy.emulator import Options, create_app
from services.publisher.claim import take
from services.publisher.leases import Leases
from services.publisher.publish import publish
from services.publisher.workbench import Workbench
from shared.cache import open_cache
from shared.database import create_pool
from shared.instagram import (
    RULES,
    ContainerCode,
    GraphAccount,
    GraphClient,
    GraphError,
    open_graph_session,
)
from shared.jobs import Again, JobType, PublishPublication, new_job
from shared.publications import Publication
from shared.security import SealedToken
from tests.seeds import CIPHER, seed_publications, seed_tenant
from tests.waiting import until

PICTURE = Path("examples/picture.jpg").read_bytes()


class Stage:
    """A publisher's workbench, the emulator behind it, and one publication to work on."""

    def __init__(self, *, pool, work, http, emulator_url, tenant, publication_id, ig_user_id):
        self.pool, self.work, self.http = pool, work, http
        self.emulator_url, self.tenant = emulator_url, tenant
        self.publication_id, self.ig_user_id = publication_id, ig_user_id

    async def run(self):
        """One delivery of the message, as the consumer would hand it over."""
        payload = PublishPublication(publication_id=self.publication_id, revision=1)
        job = new_job(JobType.POST_PUBLISH, payload, subject=str(self.publication_id))
        return await publish(self.work, job, payload)

    async def run_when_due(self):
        """The next delivery, as if the wait were over."""
        await self.pool.execute("UPDATE publications SET next_attempt_at = now() WHERE state = 'scheduled'")
        return await self.run()

    async def fault(self, **fault):
        async with self.http.post(f"{self.emulator_url}/_emulator/faults", json=fault) as answer:
            assert answer.status < 300, await answer.text()

    async def live(self):
        async with self.http.get(f"{self.emulator_url}/_emulator/media") as answer:
            return await answer.json()

    async def calls(self, endpoint):
        async with self.http.get(f"{self.emulator_url}/_emulator/calls", params={"endpoint": endpoint}) as answer:
            return await answer.json()

    async def row(self):
        return await self.pool.fetchrow("SELECT * FROM publications WHERE id = $1", self.publication_id)

    async def long_ago(self):
        """As if the publish call had been sent long ago."""
        await self.pool.execute("UPDATE publications SET publish_sent_at = publish_sent_at - interval '10 minutes'")


@pytest.fixture
def options():
    """How the platform's stand-in behaves."""
    return Options()


@pytest.fixture
async def stage(database_url, redis_url, options):
    """Everything the publisher needs, on real servers."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await create_pool(database_url, application_name="test"))
        cache = await stack.enter_async_context(open_cache(redis_url))
        emulator, pictures = TestServer(create_app(options=options)), TestServer(_pictures())
        for server in (emulator, pictures):
            await server.start_server()
            stack.push_async_callback(server.close)
        emulator_url = str(emulator.make_url("")).rstrip("/")
        http = await stack.enter_async_context(ClientSession())
        session = await stack.enter_async_context(open_graph_session())
        async with http.post(f"{emulator_url}/_emulator/accounts", json={"count": 1}) as answer:
            [account] = await answer.json()
        tenant = await seed_tenant(pool, instagram=[(account["ig_user_id"], account["access_token"])])
        [publication_id] = await seed_publications(pool, tenant)
        graph = GraphClient(session, base_url=emulator_url, version="v25.0", deadline_s=5, publish_deadline_s=1)
        work = Workbench(
            pool=pool,
            graph=graph,
            cipher=CIPHER,
            cache=cache,
            leases=Leases(pool, lease_s=20),
            public_url=str(pictures.make_url("")).rstrip("/"),
            worker="w1",
            lease_s=20,
            poll_in_worker_s=5,
            publish_deadline_s=1,
            rescue_after_s=60,
        )
        yield Stage(
            pool=pool,
            work=work,
            http=http,
            emulator_url=emulator_url,
            tenant=tenant,
            publication_id=publication_id,
            ig_user_id=account["ig_user_id"],
        )


def _pictures():
    async def picture(_request):
        return web.Response(body=PICTURE, content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/media/{key}", picture)
    return app


async def test_a_publication_goes_live_with_its_caption_and_is_recorded(stage):
    """The plain way: one container, one publish, one row that knows id and link."""
    again = await stage.run()

    row, [live] = await stage.row(), await stage.live()
    assert again is None
    assert (row["state"], row["attempt"], row["media_id"]) == ("published", 1, live["id"])
    assert row["permalink"] == live["permalink"]
    assert live["caption"] == "A picture."


async def test_a_second_message_for_a_published_row_does_nothing(stage):
    """Every message may come twice."""
    await stage.run()

    again = await stage.run()

    assert again is None
    assert len(await stage.live()) == 1
    assert len(await stage.calls("create_container")) == 1


async def test_an_account_may_have_its_own_caption(stage):
    """Overrides are per account."""
    await stage.pool.execute(
        "UPDATE posts SET overrides = jsonb_build_object($1::text, jsonb_build_object('caption', 'Mine.'))",
        str(stage.tenant.account_ids[0]),
    )

    await stage.run()

    assert [live["caption"] for live in await stage.live()] == ["Mine."]


async def test_a_hiccup_before_publishing_costs_an_attempt_and_goes_by_the_ladder(stage):
    """Two seconds after the first failure, four after the second, failed after the third."""
    await stage.fault(endpoint="create_container", kind="error", times=3)

    first, second, third = await stage.run(), await stage.run_when_due(), await stage.run_when_due()

    row = await stage.row()
    assert (first, second, third) == (Again(delay_ms=2_000), Again(delay_ms=4_000), None)
    assert (row["state"], row["reason"], row["attempt"]) == ("failed", "exhausted", 3)
    assert await stage.live() == []


@pytest.mark.parametrize("kind", ["error_but_published", "drop_after"])
async def test_a_post_that_went_live_in_spite_of_the_answer_is_found(stage, kind):
    """An error or a cut line after the effect is no reason to publish again."""
    await stage.fault(endpoint="media_publish", kind=kind, times=1)

    await stage.run()

    row, live = await stage.row(), await stage.live()
    assert [(row["state"], row["media_id"])] == [("published", live[0]["id"])]
    assert len(live) == 1
    assert len(await stage.calls("media_publish")) == 1


async def test_a_timeout_of_the_publish_call_is_looked_up(stage):
    """The deadline passes, the post is live, and it stays one."""
    await stage.fault(endpoint="media_publish", kind="timeout", times=1, seconds=30)

    await stage.run()

    assert (await stage.row())["state"] == "published"
    assert len(await stage.live()) == 1


async def test_a_publish_call_that_had_no_effect_is_repeated_with_the_same_container_and_only_later(stage):
    """Absence proves something only when no call can be under way any more."""
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)

    await stage.run()
    waiting = await stage.row()
    await stage.run_when_due()
    still_waiting = await stage.row()
    await stage.long_ago()
    await stage.run_when_due()

    row, publishes = await stage.row(), await stage.calls("media_publish")
    assert (waiting["state"], waiting["reason"], waiting["step"]) == ("scheduled", "verifying", "publish_sent")
    assert waiting["attempt"] == still_waiting["attempt"] == 0
    assert len(publishes) == 2
    assert len(await stage.calls("create_container")) == 1
    assert (row["state"], row["publish_sends"]) == ("published", 2)
    assert len(await stage.live()) == 1


async def test_after_two_calls_without_effect_the_outcome_is_unknown_never_failed(stage):
    """A person decides; the system does not guess."""
    await stage.fault(endpoint="media_publish", kind="drop_before", times=2)

    await stage.run()
    for _ in range(2):
        await stage.long_ago()
        await stage.run_when_due()

    row = await stage.row()
    assert (row["state"], row["publish_sends"]) == ("outcome_unknown", 2)
    assert "resolve the publication" in row["error"]


async def test_a_defect_after_the_publish_call_never_ends_as_failed(stage, monkeypatch):
    """Even with no attempt left, an open call is unknown, not failed."""
    await stage.pool.execute("UPDATE publications SET attempt = 2")

    async def broken(*_args, **_kwargs):
        raise RuntimeError("a bug")

    monkeypatch.setattr(GraphClient, "publish_container", broken)

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("outcome_unknown", "exhausted")


async def test_a_revoked_token_holds_the_publication_and_flags_the_account(stage):
    """Nothing is lost: it goes on when the owner has connected again."""
    await stage.fault(endpoint="create_container", kind="error", times=1, code=190, subcode=460)

    await stage.run()

    row = await stage.row()
    account = await stage.pool.fetchrow("SELECT state, state_reason FROM accounts")
    assert (row["state"], row["reason"], row["attempt"]) == ("held", "reauth_required", 0)
    assert tuple(account) == ("NEEDS_REAUTH", "reauth_required")


async def test_a_spam_block_that_published_nothing_holds_and_restricts(stage):
    """Never hammer an account that the platform asked to stop; look first when it is released."""
    await stage.fault(endpoint="media_publish", kind="error", times=1, code=4, subcode=2207051)

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"], row["step"]) == ("held", "account_restricted", "publish_sent")
    assert await stage.pool.fetchval("SELECT state FROM accounts") == "RESTRICTED"


async def test_a_used_up_quota_defers_without_costing_an_attempt(stage):
    """The window rolls by itself; the same container is published then."""
    await stage.fault(endpoint="media_publish", kind="error", times=1, code=9, subcode=2207042)

    await stage.run()
    waiting = await stage.row()
    await stage.run_when_due()

    assert (waiting["state"], waiting["reason"], waiting["attempt"]) == ("scheduled", "quota", 0)
    assert (waiting["step"], waiting["publish_sends"]) == ("container_created", 0)
    assert (await stage.row())["state"] == "published"
    assert len(await stage.calls("create_container")) == 1


async def test_content_the_platform_refuses_fails_at_once_with_advice(stage):
    """No retry mends a picture."""
    await stage.fault(endpoint="create_container", kind="error", times=1, code=36003, subcode=2207009)

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("failed", "content_rejected", 1)
    assert "advice" in row["error"]


@pytest.mark.parametrize("options", [Options(processing_s=3600)])
async def test_slow_processing_lets_the_worker_go_and_keeps_the_container(stage):
    """The poll comes back by a message; no worker waits, no second container is made."""
    stage.work = _impatient(stage.work)

    await stage.run()
    await stage.run_when_due()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "processing", 0)
    assert len(await stage.calls("create_container")) == 1


async def test_an_unreachable_platform_is_neither_an_unclear_outcome_nor_a_failure(stage):
    """No byte was written: the try is repeated later and costs nothing."""
    stage.work = _with_graph(stage.work, base_url="http://127.0.0.1:9")

    again = await stage.run()

    row = await stage.row()
    assert again == Again(delay_ms=15_000)
    assert (row["state"], row["reason"], row["step"]) == ("scheduled", "platform_unreachable", None)
    assert row["attempt"] == 0


async def test_a_refusal_of_the_second_call_leaves_the_first_one_open(stage):
    """Whatever is refused later, a call whose effect is not known stays on the row's record."""
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)
    await stage.run()
    await stage.long_ago()
    await stage.fault(endpoint="media_publish", kind="error", times=1, code=9, subcode=2207042)

    await stage.run_when_due()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("scheduled", "quota")
    assert (row["step"], row["publish_sends"]) == ("publish_sent", 1)
    assert row["publish_sent_at"] is not None


async def test_content_that_is_refused_at_the_publish_call_fails_and_a_retry_starts_afresh(stage):
    """A clear no to the only call: failed, and the refused container is not kept."""
    await stage.fault(endpoint="media_publish", kind="error", times=1, code=36004, subcode=2207010)

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("failed", "content_rejected")
    assert (row["step"], row["container_id"], row["publish_sends"]) == (None, None, 0)


async def test_content_that_vanished_behind_an_open_call_is_unknown_not_failed(stage):
    """The post may be live; that the picture is gone proves nothing."""
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)
    await stage.run()
    await stage.pool.execute("DELETE FROM account_tokens")

    await stage.run_when_due()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("outcome_unknown", "content_gone")


async def test_an_old_container_is_given_up_and_the_try_counts(stage):
    """A container that never got ready is replaced, and lateness applies again."""
    await stage.fault(endpoint="media_publish", kind="error", times=1, code=9, subcode=2207042)
    await stage.run()
    await stage.pool.execute("UPDATE publications SET container_created_at = now() - interval '23 hours 55 minutes'")

    await stage.run_when_due()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "container_expired", 1)
    assert (row["step"], row["container_id"]) == (None, None)


async def test_a_post_without_a_caption_is_never_mistaken_for_a_strangers(stage):
    """Without words nothing tells ours from another wordless post, so absence is concluded, not presence."""
    await stage.pool.execute("UPDATE posts SET caption = ''")
    other = await _strangers_post(stage, caption="")
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)

    await stage.run()
    await stage.long_ago()
    await stage.run_when_due()

    row, live = await stage.row(), await stage.live()
    assert row["state"] == "published"
    assert row["media_id"] not in {other, None}
    assert len(live) == 2


async def test_words_of_the_platform_that_cannot_be_stored_do_not_stop_the_result(stage, monkeypatch):
    """A NUL in a message must not keep the row in publishing for ever."""
    rule = RULES[0]

    async def refused(*_args, **_kwargs):
        raise GraphError(
            operation="create_image_container",
            rule=rule,
            code=1,
            subcode=None,
            message="bad \x00 words \ud800",
            http_status=400,
            fbtrace_id=None,
            is_transient=False,
        )

    monkeypatch.setattr(GraphClient, "create_image_container", refused)

    await stage.run()

    row = await stage.row()
    assert row["state"] == "scheduled"
    assert "bad  words" in row["error"]


async def test_a_refused_token_that_was_replaced_meanwhile_does_not_flag_the_account(stage, monkeypatch):
    """The owner connected again while the old token was on its way."""
    await stage.fault(endpoint="create_container", kind="error", times=1, code=190, subcode=460)

    create = GraphClient.create_image_container

    async def replaced_meanwhile(*args, **kwargs):
        try:
            return await create(*args, **kwargs)
        finally:
            await stage.pool.execute("UPDATE account_tokens SET sealed = sealed || ''::bytea || '\\x00'::bytea")

    monkeypatch.setattr(GraphClient, "create_image_container", replaced_meanwhile)

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "token_replaced", 0)
    assert await stage.pool.fetchval("SELECT state FROM accounts") == "ACTIVE"


async def test_leases_are_renewed_for_the_claim_that_is_held_and_no_other(stage):
    """A worker that lost its claim does not keep its successor's alive."""
    first = await _claimed(stage)
    with stage.work.leases.hold(first):
        await stage.pool.execute("UPDATE publications SET lease_until = now() - interval '1 second'")
        second = await _claimed(stage)
        await stage.pool.execute("UPDATE publications SET lease_until = now() + interval '1 second'")
        await stage.work.leases.renew_once()
        untouched = await stage.row()
        with stage.work.leases.hold(second):
            await stage.work.leases.renew_once()
            renewed = await stage.row()

    assert second.epoch == first.epoch + 1
    assert renewed["lease_until"] - untouched["lease_until"] > timedelta(seconds=15)


async def test_an_account_that_is_locked_for_long_makes_nobody_wait(stage):
    """An import holds thousands of accounts; their claims come back later."""
    async with stage.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT id FROM accounts FOR NO KEY UPDATE")
        async with asyncio.timeout(5):
            await stage.run()

    message = await stage.pool.fetchrow("SELECT due_at > now() AS later FROM outbox WHERE type = 'post:publish'")
    assert (await stage.row())["state"] == "scheduled"
    assert message["later"]


async def test_a_token_that_the_key_ring_does_not_open_waits_for_the_operator(stage):
    """The publication is not failed for a key that is missing."""
    await stage.pool.execute("UPDATE account_tokens SET key_id = 'lost'")

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "token_unreadable", 0)


async def test_a_paused_account_holds_its_publications(stage):
    """The claim is refused and the reason is on the row."""
    await stage.pool.execute("UPDATE accounts SET state = 'PAUSED', paused_from = 'ACTIVE'")

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("held", "account_paused", 0)


async def test_a_worker_that_stops_hands_its_work_back_without_costing_an_attempt(stage):
    """A drain is no failure; what was sent is looked up by whoever comes next."""
    await stage.fault(endpoint="media_publish", kind="timeout", times=1, seconds=30)
    stage.work = _with_graph(stage.work, base_url=stage.emulator_url, publish_deadline_s=30)
    running = asyncio.create_task(stage.run())
    await until(lambda: stage.calls("media_publish"), what="the publish call")

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    handed_back = await stage.row()
    await stage.run_when_due()

    assert (handed_back["state"], handed_back["reason"]) == ("scheduled", "worker_stopped")
    assert (handed_back["step"], handed_back["attempt"]) == ("publish_sent", 0)
    assert (await stage.row())["state"] == "published"
    assert len(await stage.live()) == 1


def _impatient(work):
    return replace(work, poll_in_worker_s=0.5)


def _with_graph(work, *, base_url, publish_deadline_s=1.0):
    session = work.graph._session  # noqa: SLF001 - a second client on the same session
    graph = GraphClient(
        session, base_url=base_url, version="v25.0", deadline_s=5, publish_deadline_s=publish_deadline_s
    )
    return replace(work, graph=graph)


async def _claimed(stage):
    publication = await take(stage.work, PublishPublication(publication_id=stage.publication_id, revision=1))
    assert isinstance(publication, Publication)
    return publication


async def _strangers_post(stage, *, caption):
    """A post that somebody else puts on the same account; returns its id."""
    token = await stage.pool.fetchrow("SELECT account_id, key_id, sealed FROM account_tokens")
    access_token = CIPHER.decrypt(
        SealedToken(key_id=token["key_id"], ciphertext=token["sealed"]),
        user_id=stage.tenant.user_id,
        account_id=token["account_id"],
        column="access_token",
    )
    account = GraphAccount(ig_user_id=stage.ig_user_id, access_token=access_token)
    container = await stage.work.graph.create_image_container(
        account, image_url=f"{stage.work.public_url}/media/other.jpg", caption=caption
    )

    async def finished():
        return (await stage.work.graph.container_status(account, container)).code is ContainerCode.FINISHED

    await until(finished, what="the stranger's container")
    return await stage.work.graph.publish_container(account, container)
