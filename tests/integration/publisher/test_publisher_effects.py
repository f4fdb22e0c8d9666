"""What a refusal leads to in the end: bounded tries, a reason, and nothing that is blamed for another's fault."""

import json

import pytest

NOT_FETCHED = {"endpoint": "create_container", "kind": "error", "code": 9004, "subcode": 2207052}


async def run_to_the_end(stage):
    for _ in range(3):
        await stage.run_when_due()
    return await stage.row()


async def test_containers_that_are_lost_each_time_are_the_medias_fault(stage):
    """Three of them, then the advice of the rule stands where a person looks."""
    await stage.fault(endpoint="media_publish", kind="error", times=3, code=-2, subcode=2207020)

    row = await run_to_the_end(stage)

    assert (row["state"], row["reason"], row["attempt"]) == ("failed", "content_rejected", 3)
    assert "check the media file" in json.loads(row["error"])["advice"]
    assert len(await stage.calls("create_container")) == 3


async def test_media_that_was_not_fetched_is_submitted_again(stage):
    """Meta's fetcher has its hiccups."""
    await stage.fault(**NOT_FETCHED, times=1)

    await stage.run()
    waiting = await stage.row()
    await stage.run_when_due()

    assert (waiting["state"], waiting["reason"], waiting["attempt"]) == ("scheduled", "media_not_fetched", 1)
    assert (await stage.row())["state"] == "published"


async def test_media_that_nobody_can_fetch_fails_at_once(stage):
    """Our own check has seen it: another container would not mend the host."""
    await stage.pool.execute("UPDATE media SET unreachable_since = now(), unreachable_reason = 'It answers 404.'")
    await stage.fault(**NOT_FETCHED, times=1)

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("failed", "media_unreachable")
    assert json.loads(row["error"])["message"].endswith("It answers 404.")


async def test_an_outage_of_the_platform_ends_no_publication(stage):
    """Attempts are for a hiccup: before the last one is spent, the platform itself is asked, and all begin again."""
    await stage.fault(endpoint="any", kind="error", times=50, code=2)

    row = await run_to_the_end(stage)

    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "platform_down", 0)


@pytest.mark.parametrize(("times", "state"), [(2, "published"), (3, "failed")])
async def test_failures_of_one_publication_alone_are_its_own(stage, times, state):
    """Where the platform answers otherwise, tries are counted and run out."""
    await stage.fault(endpoint="create_container", kind="error", times=times, code=1)

    row = await run_to_the_end(stage)

    assert (row["state"], row["attempt"]) == (state, 3)
