"""After a publish call with no clear answer: what is concluded, and what never is."""

import asyncio

import pytest

from shared.instagram import (
    GraphClient,
)
from tests.waiting import until


@pytest.mark.parametrize(
    "fault",
    [{"kind": "error_but_published"}, {"kind": "error_but_published", "code": 4}, {"kind": "drop_after"}],
    ids=["blocked", "blocked, without a subcode", "cut"],
)
async def test_a_post_that_went_live_in_spite_of_the_answer_is_found(stage, fault):
    """An error or a cut line after the effect is no reason to publish again."""
    await stage.fault(endpoint="media_publish", times=1, **fault)

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


async def test_a_spam_block_that_published_nothing_holds_and_restricts(stage):
    """Never hammer an account that the platform asked to stop; look first when it is released."""
    await stage.fault(endpoint="media_publish", kind="error", times=1, code=4, subcode=2207051)

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"], row["step"]) == ("held", "account_restricted", "publish_sent")
    assert await stage.pool.fetchval("SELECT state FROM accounts") == "RESTRICTED"


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


async def test_content_that_vanished_behind_an_open_call_is_unknown_not_failed(stage):
    """The post may be live; that the picture is gone proves nothing."""
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)
    await stage.run()
    await stage.pool.execute("DELETE FROM account_tokens")

    await stage.run_when_due()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("outcome_unknown", "content_gone")


async def test_a_post_without_a_caption_is_never_mistaken_for_a_strangers(stage):
    """Without words nothing tells ours from another wordless post, so absence is concluded, not presence."""
    await stage.pool.execute("UPDATE posts SET caption = ''")
    other = await stage.strangers_post(caption="")
    await stage.fault(endpoint="media_publish", kind="drop_before", times=1)

    await stage.run()
    await stage.long_ago()
    await stage.run_when_due()

    row, live = await stage.row(), await stage.live()
    assert row["state"] == "published"
    assert row["media_id"] not in {other, None}
    assert len(live) == 2


async def test_a_worker_that_stops_hands_its_work_back_without_costing_an_attempt(stage):
    """A drain is no failure; what was sent is looked up by whoever comes next."""
    await stage.fault(endpoint="media_publish", kind="timeout", times=1, seconds=30)
    stage.use_graph(stage.emulator_url, publish_deadline_s=30)
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
