"""Unknown outcomes are looked up again, ever more rarely; what a person says wins."""

from dataclasses import replace

import pytest

from services.publisher import late_probe, send
from services.publisher.late_probe import probe_late_once
from services.publisher.results import Published, Unknown
from services.publisher.verify import verify
from shared.instagram import Wait
from shared.publications import Change, Owner, PublicationState, transition
from tests.seeds import seed_publications


@pytest.fixture
def give_up(stage, monkeypatch):
    """A publish call without an answer that is given up at once; long ago, and the first look is due."""

    async def unknown(*_args, **_kwargs):
        return Unknown(fault={"class": "unknown"})

    async def give_up(*, kind):
        with monkeypatch.context() as patch:
            patch.setattr(send, "look_up_now", unknown)
            await stage.fault(endpoint="media_publish", kind=kind, times=1)
            await stage.run()
        assert (await stage.row())["state"] == "outcome_unknown"
        await stage.long_ago()

    return give_up


async def make_due(stage):
    await stage.pool.execute("UPDATE publications SET rescue_at = now() WHERE rescue_at < 'infinity'")


async def test_giving_up_plans_the_first_look(stage, give_up):
    """Ten minutes later; a person may be faster."""
    await give_up(kind="drop_after")

    await probe_late_once(stage.work)

    wait_s = await stage.pool.fetchval("SELECT extract(epoch FROM rescue_at - now())::float8 FROM publications")
    assert 590 < wait_s <= 600
    assert await stage.calls("list_media") == []


async def test_a_post_that_is_live_after_all_is_found(stage, give_up):
    """Its id and link are recovered, and the event tells of it."""
    await give_up(kind="drop_after")
    await make_due(stage)

    await probe_late_once(stage.work)

    row, [live] = await stage.row(), await stage.live()
    events = await stage.pool.fetch("SELECT type FROM events WHERE type = 'publication.published'")
    assert (row["state"], row["media_id"], row["permalink"]) == ("published", live["id"], live["permalink"])
    assert len(events) == 1
    assert len(await stage.calls("media_publish")) == 1


async def test_a_post_whose_container_expired_unpublished_has_failed(stage, give_up):
    """That is certain: the container says so, and no post bears its words."""
    await give_up(kind="drop_before")
    await make_due(stage)
    stage.clock.advance(25 * 3600)

    await probe_late_once(stage.work)

    row = await stage.row()
    assert (row["state"], row["reason"], row["container_id"]) == ("failed", "not_published", None)


async def test_two_of_an_account_do_not_take_the_same_post_for_theirs(stage, give_up, monkeypatch):
    """With the same words, one live post is one publication's: they are looked up one after the other."""
    looking, at_once = set(), []

    async def seen(work, publication, content):
        looking.add(publication.id)
        at_once.append(len(looking))
        try:
            await stage.pool.execute("SELECT pg_sleep(0.1)")  # a slow platform
            return await verify(work, publication, content)
        finally:
            looking.remove(publication.id)

    monkeypatch.setattr(late_probe, "look_up", seen)
    await give_up(kind="drop_after")
    [stage.publication_id] = await seed_publications(stage.pool, stage.tenant)
    await give_up(kind="drop_before")
    await make_due(stage)

    await probe_late_once(stage.work)

    states = await stage.pool.fetch("SELECT state FROM publications ORDER BY state")
    assert at_once == [1, 1]
    assert [row["state"] for row in states] == ["outcome_unknown", "published"]


async def test_without_words_to_look_for_absence_proves_nothing(stage, give_up):
    """A person decides."""
    await stage.pool.execute("UPDATE posts SET caption = ''")
    await give_up(kind="drop_before")
    await make_due(stage)
    stage.clock.advance(25 * 3600)

    await probe_late_once(stage.work)

    assert (await stage.row())["state"] == "outcome_unknown"


async def test_looks_grow_rarer_and_end(stage, give_up):
    """Nothing is asked for ever; a container that still could be published is not."""
    await give_up(kind="drop_before")
    waits = []

    for _ in range(5):
        await make_due(stage)
        await probe_late_once(stage.work)
        waits.append(
            await stage.pool.fetchval(
                """
                SELECT CASE WHEN rescue_at < 'infinity'
                            THEN round(extract(epoch FROM rescue_at - now()) / 3600)::int END
                FROM publications
                """
            )
        )

    assert waits == [1, 6, 24, None, None]
    assert len(await stage.calls("media_publish")) == 1
    assert len(await stage.calls("list_media")) == 4


async def test_what_a_person_says_meanwhile_wins(stage, give_up, monkeypatch):
    """The look was under way when somebody resolved the publication."""
    await give_up(kind="drop_after")
    await make_due(stage)

    async def resolved_meanwhile(_work, publication, _content):
        change = Change(to=PublicationState.FAILED, owner=Owner.API, reason="resolved_by_user")
        async with stage.pool.acquire() as connection, connection.transaction():
            await transition(connection, publication.id, change, user_id=publication.user_id)
        return Published(media_id="1", permalink=None)

    monkeypatch.setattr(late_probe, "look_up", resolved_meanwhile)

    await probe_late_once(stage.work)

    row = await stage.row()
    assert (row["state"], row["reason"], row["media_id"]) == ("failed", "resolved_by_user", None)


@pytest.mark.parametrize("table", ["account_tokens", "posts"])
async def test_what_cannot_be_looked_up_keeps_its_turn_and_stops_no_other(stage, give_up, table):
    """The token or the post is gone: the outcome stays unknown."""
    await give_up(kind="drop_after")
    await make_due(stage)
    await stage.pool.execute(
        "DELETE FROM account_tokens" if table == "account_tokens" else "UPDATE posts SET media_ids = '{}'"
    )

    await probe_late_once(stage.work)

    row = await stage.row()
    assert (row["state"], row["rescues"]) == ("outcome_unknown", 1)


async def test_while_no_calls_are_allowed_a_look_is_not_used_up(stage, give_up):
    """It comes when the gate says so."""

    class Closed:
        async def admit(self, _ig_user_id):
            return Wait(reason="platform_down", delay_s=30.0)

    await give_up(kind="drop_after")
    await make_due(stage)

    await probe_late_once(replace(stage.work, gate=Closed()))

    wait_s = await stage.pool.fetchval("SELECT extract(epoch FROM rescue_at - now())::float8 FROM publications")
    assert 20 < wait_s <= 30
    assert (await stage.row())["rescues"] == 0
