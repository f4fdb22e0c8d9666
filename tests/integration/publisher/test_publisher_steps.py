"""The publisher's try: every fault before and at the publish call ends where it should."""

from dataclasses import replace

import pytest

from deploy.emulator import Options
from shared.instagram import (
    RULES,
    GraphClient,
    GraphError,
)
from shared.jobs import Again


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


async def test_a_revoked_token_holds_the_publication_and_flags_the_account(stage):
    """Nothing is lost: it goes on when the owner has connected again."""
    await stage.fault(endpoint="create_container", kind="error", times=1, code=190, subcode=460)

    await stage.run()

    row = await stage.row()
    account = await stage.pool.fetchrow("SELECT state, state_reason FROM accounts")
    assert (row["state"], row["reason"], row["attempt"]) == ("held", "reauth_required", 0)
    assert tuple(account) == ("NEEDS_REAUTH", "reauth_required")


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


async def test_content_that_is_refused_at_the_publish_call_fails_and_a_retry_starts_afresh(stage):
    """A clear no to the only call: failed, and the refused container is not kept."""
    await stage.fault(endpoint="media_publish", kind="error", times=1, code=36004, subcode=2207010)

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("failed", "content_rejected")
    assert (row["step"], row["container_id"], row["publish_sends"]) == (None, None, 0)


@pytest.mark.parametrize("options", [Options(processing_s=3600)])
async def test_slow_processing_lets_the_worker_go_and_keeps_the_container(stage):
    """The poll comes back by a message; no worker waits, no second container is made."""
    stage.work = replace(stage.work, poll_in_worker_s=0.5)

    await stage.run()
    await stage.run_when_due()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "processing", 0)
    assert len(await stage.calls("create_container")) == 1


async def test_an_unreachable_platform_is_neither_an_unclear_outcome_nor_a_failure(stage):
    """No byte was written: the try is repeated later and costs nothing."""
    stage.use_graph("http://127.0.0.1:9")

    again = await stage.run()

    row = await stage.row()
    assert again == Again(delay_ms=15_000)
    assert (row["state"], row["reason"], row["step"]) == ("scheduled", "platform_unreachable", None)
    assert row["attempt"] == 0


async def test_an_old_container_is_given_up_and_the_try_counts(stage):
    """A container that never got ready is replaced, and lateness applies again."""
    await stage.fault(endpoint="media_publish", kind="error", times=1, code=9, subcode=2207042)
    await stage.run()
    await stage.pool.execute("UPDATE publications SET container_created_at = now() - interval '23 hours 55 minutes'")

    await stage.run_when_due()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "container_expired", 1)
    assert (row["step"], row["container_id"]) == (None, None)


async def test_words_of_the_platform_that_cannot_be_stored_do_not_stop_the_result(stage, monkeypatch):
    """A NUL in a message must not keep the row in publishing for ever."""
    rule = RULES[0]

    async def refused(*_args, **_kwargs):
        raise GraphError(
            operation="create_container",
            rule=rule,
            code=1,
            subcode=None,
            message="bad \x00 words \ud800",
            http_status=400,
            fbtrace_id=None,
            is_transient=False,
        )

    monkeypatch.setattr(GraphClient, "create_container", refused)

    await stage.run()

    row = await stage.row()
    assert row["state"] == "scheduled"
    assert "bad  words" in row["error"]


async def test_a_refused_token_that_was_replaced_meanwhile_does_not_flag_the_account(stage, monkeypatch):
    """The owner connected again while the old token was on its way."""
    await stage.fault(endpoint="create_container", kind="error", times=1, code=190, subcode=460)

    create = GraphClient.create_container

    async def replaced_meanwhile(*args, **kwargs):
        try:
            return await create(*args, **kwargs)
        finally:
            await stage.pool.execute("UPDATE account_tokens SET sealed = sealed || ''::bytea || '\\x00'::bytea")

    monkeypatch.setattr(GraphClient, "create_container", replaced_meanwhile)

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "token_replaced", 0)
    assert await stage.pool.fetchval("SELECT state FROM accounts") == "ACTIVE"
