"""After a restore: each publication is looked up before it is sent, and what cannot be proven waits for a person."""

from datetime import UTC, datetime, timedelta

import pytest

from services.publisher.late_probe import probe_late_once
from shared.publications import Change, Owner, PublicationState, look_up_first, transition


@pytest.fixture
def restore(stage):
    """What `instadistro restore` does to the publications, with a backup of five minutes ago."""

    async def restore():
        async with stage.pool.acquire() as connection, connection.transaction():
            return await look_up_first(connection, since=datetime.now(UTC) - timedelta(minutes=5))

    return restore


async def publish_and_lose(stage):
    """It goes live, and the database knows nothing of it any more."""
    await stage.run()
    assert (await stage.row())["state"] == "published"
    await stage.pool.execute(
        """
        UPDATE publications
        SET state = 'scheduled', step = NULL, container_id = NULL, container_created_at = NULL, publish_sent_at = NULL,
            publish_sends = 0, media_id = NULL, permalink = NULL, published_at = NULL, attempt = 0
        """
    )


async def test_what_went_live_after_the_backup_is_found_and_not_sent_again(stage, restore):
    """By its words; the id and the link are recovered. It was moved forward then: its time is not one still to come."""
    await publish_and_lose(stage)
    await stage.pool.execute("UPDATE publications SET publish_at = now() + interval '1 week'")

    marked = await restore()
    await stage.run()

    row, [live] = await stage.row(), await stage.live()
    assert marked == 1
    assert row["publish_at"] == row["published_at"]
    assert (row["state"], row["media_id"], row["permalink"]) == ("published", live["id"], live["permalink"])
    assert len(await stage.calls("media_publish")) == 1


async def test_what_did_not_go_live_is_published_once_and_only_when_absence_is_proven(stage, restore):
    """A call of before the restore may still be under way; then it begins from the beginning, and no try counts."""
    await restore()

    await stage.run()
    young = await stage.row()
    await stage.long_ago()
    await stage.run_when_due()
    proven = await stage.row()
    await stage.run_when_due()

    row = await stage.row()
    assert (young["state"], young["reason"], young["step"]) == ("scheduled", "verifying", "publish_sent")
    assert (proven["state"], proven["reason"], proven["step"], proven["attempt"]) == ("scheduled", "restored", None, 0)
    assert (row["state"], row["attempt"]) == ("published", 1)
    assert len(await stage.live()) == 1


async def test_what_is_due_later_is_looked_up_now_and_then_waits_for_its_time(stage, restore):
    """The account's list is read while it still tells: not in a week, when a story has left it."""
    await stage.pool.execute("UPDATE publications SET publish_at = now() + interval '1 week'")
    await restore()

    await stage.run()
    young = await stage.row()
    await stage.long_ago()
    await stage.run_when_due()

    row = await stage.row()
    assert (young["reason"], young["step"]) == ("verifying", "publish_sent")
    assert young["next_attempt_at"] < young["rescue_at"] < young["publish_at"]
    assert (row["state"], row["reason"], row["step"]) == ("scheduled", "restored", None)
    assert row["next_attempt_at"] == row["publish_at"]


@pytest.mark.parametrize("state", ["publishing", "held"])
async def test_whoever_had_it_when_the_backup_was_made_it_is_looked_up(stage, restore, state):
    """A worker that is gone, or a gate that may be open by now: the claim asks again."""
    await publish_and_lose(stage)
    await stage.pool.execute(
        """
        UPDATE publications
        SET state = $1, step = 'container_created', container_id = '17', container_created_at = now(),
            lease_until = CASE $1 WHEN 'publishing' THEN now() + interval '1 hour' END,
            lease_owner = CASE $1 WHEN 'publishing' THEN 'gone' END
        """,
        state,
    )

    await restore()
    await stage.run()

    assert (await stage.row())["state"] == "published"
    assert len(await stage.calls("media_publish")) == 1


async def test_a_story_that_may_be_live_waits_for_a_person(stage, restore):
    """Nothing tells one story from another; with none on the account it is certain, and the story is published."""
    await stage.becomes("story", "image")
    await publish_and_lose(stage)

    await restore()
    await stage.long_ago()
    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("outcome_unknown", "restored")
    assert "resolve the publication" in row["error"]
    assert len(await stage.calls("media_publish")) == 1


async def test_a_story_on_an_account_without_any_is_published(stage, restore):
    """Where there is none, this one is not there either."""
    await stage.becomes("story", "image")
    await restore()
    await stage.long_ago()

    await stage.run()
    await stage.run_when_due()

    assert (await stage.row())["state"] == "published"


async def test_what_the_platform_does_not_list_any_more_waits_for_a_person(stage, restore):
    """Stories are listed for a day: after a backup that is older their absence proves nothing."""
    await stage.becomes("story", "image")
    await restore()
    await stage.pool.execute("UPDATE publications SET container_created_at = now() - interval '2 days'")
    await stage.long_ago()

    await stage.run()

    assert (await stage.row())["state"] == "outcome_unknown"


async def test_it_is_neither_missed_nor_canceled_before_it_was_looked_up(stage, restore):
    """However late it is; a wish to cancel is obeyed once it is certain that nothing is live."""
    await stage.pool.execute("UPDATE publications SET max_lateness_s = 10, publish_at = now() - interval '1 day'")
    await restore()
    await stage.pool.execute("UPDATE publications SET halt = 'cancel'")
    await stage.long_ago()

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("canceled", "canceled_by_user")
    assert await stage.live() == []


@pytest.mark.parametrize(("is_live", "becomes"), [(True, "published"), (False, "failed")])
async def test_the_late_probe_finds_what_could_not_be_looked_up_before(stage, restore, is_live, becomes):
    """Unknown for want of a list, it is looked up by its words all the same; if it is absent, it can be retried."""
    if is_live:
        await publish_and_lose(stage)
    await restore()
    await stage.long_ago()
    change = Change(to=PublicationState.OUTCOME_UNKNOWN, owner=Owner.PUBLISHER, reason="unverified")
    publication = await stage.publication()
    await stage.pool.execute("UPDATE publications SET state = 'publishing', lease_until = now(), lease_owner = 'w'")
    async with stage.pool.acquire() as connection, connection.transaction():
        await transition(connection, publication.id, change, user_id=publication.user_id)
    await stage.pool.execute("UPDATE publications SET rescue_at = now()")

    await probe_late_once(stage.work)

    row = await stage.row()
    assert row["state"] == becomes
    assert (row["step"] is None) == (not is_live)
