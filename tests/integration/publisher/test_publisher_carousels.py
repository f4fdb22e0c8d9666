"""A carousel: its items are made once, kept over every interruption, and mended one by one."""

import asyncio
from dataclasses import replace

import pytest

from deploy.emulator import Options
from services.publisher.content import read_content
from services.publisher.formats import CarouselPlan
from services.publisher.progress import ClaimLostError, mark_child
from shared.instagram import ContainerCode, GraphClient
from shared.jobs import Again
from tests.waiting import until

KINDS = ("image", "image", "image")


def items_of(content):
    assert isinstance(content.plan, CarouselPlan)
    return content.plan.items


async def made_by_a_worker_that_died(stage, *places):
    """A worker made the items at these places and died; its lease is over. Returns the row as it left it."""
    publication = await stage.claimed()
    content = await read_content(stage.work, publication)
    items = items_of(content)
    for place in places:
        container_id = await stage.work.graph.create_container(content.account, items[place])
        await mark_child(stage.work, publication, container_id, position=place, count=len(items))
    await stage.pool.execute("UPDATE publications SET lease_until = now() - interval '1 second'")
    return await stage.row()


async def until_all_failed(stage, left):
    """The platform has looked into all of them: where it is slow, a look in between would find only some."""
    account = (await read_content(stage.work, await stage.publication())).account

    async def all_failed():
        statuses = [await stage.work.graph.container_status(account, one) for one in left["child_container_ids"]]
        return all(status.code is ContainerCode.ERROR for status in statuses)

    await until(all_failed, what="the failure of every item")


@pytest.mark.parametrize("places", [(2, 0), (0, 1, 2)])
async def test_items_that_are_stored_survive_their_worker(stage, places):
    """Whatever was made is kept, only the rest is made, and the items stand in the post's order."""
    keys = await stage.becomes("carousel", *KINDS)
    left = await made_by_a_worker_that_died(stage, *places)

    await stage.run()

    row, [live] = await stage.row(), await stage.live()
    kept = {place: left["child_container_ids"][place] for place in places}
    assert (row["state"], row["media_id"], row["attempt"]) == ("published", live["id"], 1)
    assert {place: row["child_container_ids"][place] for place in places} == kept
    assert len(await stage.calls("create_container")) == len(KINDS) + 1
    assert stage.keys_of(live) == keys


async def test_a_container_that_was_answered_and_not_stored_costs_nothing_else(stage):
    """It expires unseen; the post has each item once."""
    keys = await stage.becomes("carousel", *KINDS)
    publication = await stage.claimed()
    content = await read_content(stage.work, publication)
    await stage.work.graph.create_container(content.account, items_of(content)[0])
    await stage.pool.execute("UPDATE publications SET lease_until = now() - interval '1 second'")

    await stage.run()

    [live] = await stage.live()
    assert len(await stage.calls("create_container")) == 1 + len(KINDS) + 1
    assert stage.keys_of(live) == keys


async def test_a_worker_that_was_taken_over_stores_nothing(stage):
    """Its epoch is over: what it made is built on by nobody, and what its successor stored stays."""
    await stage.becomes("carousel", *KINDS)
    first = await stage.claimed()
    await stage.pool.execute("UPDATE publications SET lease_until = now() - interval '1 second'")
    second = await stage.claimed()
    await mark_child(stage.work, second, "222", position=1, count=3)

    with pytest.raises(ClaimLostError):
        await mark_child(stage.work, first, "111", position=1, count=3)

    assert (await stage.row())["child_container_ids"] == [None, "222", None]


async def test_a_worker_that_is_taken_over_amid_its_items_stops_and_writes_nothing(stage, monkeypatch):
    """The claim moves on while four calls are under way: no item is stored, no result either, nothing goes live."""
    await stage.becomes("carousel", *KINDS)
    create = GraphClient.create_container

    async def taken_over_meanwhile(*args):
        await stage.pool.execute("UPDATE publications SET epoch = epoch + 1")
        return await create(*args)

    monkeypatch.setattr(GraphClient, "create_container", taken_over_meanwhile)

    again = await stage.run()

    row = await stage.row()
    assert again is None
    assert (row["state"], row["step"], row["child_container_ids"]) == ("publishing", None, None)
    assert await stage.live() == []


async def test_marks_at_the_same_moment_lose_none(stage):
    """Four items are answered at once; each finds its slot."""
    publication = await stage.claimed()

    rows = await asyncio.gather(
        *(mark_child(stage.work, publication, str(place), position=place, count=10) for place in range(10))
    )

    expected = [str(place) for place in range(10)]
    assert (await stage.row())["child_container_ids"] == expected
    assert max(sum(child is not None for child in row.child_container_ids) for row in rows) == len(expected)


async def test_items_are_made_a_few_at_a_time_and_stand_in_the_posts_order(stage, monkeypatch):
    """Ten items, never more than four calls at once; the first is answered after the last."""
    keys = await stage.becomes("carousel", *["image"] * 10)
    create, last_made, under_way, most = GraphClient.create_container, asyncio.Event(), 0, 0

    async def first_is_last(graph, account, spec):
        nonlocal under_way, most
        under_way, address = under_way + 1, spec.form().get("image_url", "")
        most = max(most, under_way)
        if keys[0] in address:
            await asyncio.wait_for(last_made.wait(), 10)
        container_id = await create(graph, account, spec)
        if keys[-1] in address:
            last_made.set()
        under_way -= 1
        return container_id

    monkeypatch.setattr(GraphClient, "create_container", first_is_last)

    await stage.run()

    [live] = await stage.live()
    assert most == 4
    assert stage.keys_of(live) == keys


async def test_an_item_that_fails_is_made_anew_alone(stage):
    """One try counts, the other items are kept, and the carousel is complete."""
    keys = await stage.becomes("carousel", *KINDS)
    await stage.fault(endpoint="create_container", kind="container_error", times=1)

    again = await stage.run()
    between = await stage.row()
    await stage.run_when_due()

    row, [live] = await stage.row(), await stage.live()
    kept = [child for child in between["child_container_ids"] if child]
    assert again == Again(delay_ms=2_000)
    assert (between["state"], between["reason"], between["attempt"]) == ("scheduled", "container_failed", 1)
    assert len(kept) == 2
    assert set(kept) < set(row["child_container_ids"])
    assert (row["state"], row["attempt"]) == ("published", 2)
    assert len(await stage.calls("create_container")) == len(KINDS) + 1 + 1
    assert stage.keys_of(live) == keys


async def test_items_that_fail_together_cost_one_try(stage):
    """One look finds them all, so three tries are enough for any number of them."""
    await stage.becomes("carousel", *KINDS)
    await stage.fault(endpoint="create_container", kind="container_error", times=3)
    left = await made_by_a_worker_that_died(stage, 0, 1, 2)
    await until_all_failed(stage, left)

    await stage.run()
    between = await stage.row()
    await stage.run_when_due()

    assert (between["child_container_ids"], between["attempt"]) == ([None, None, None], 1)
    assert (await stage.row())["state"] == "published"


async def test_an_item_that_the_platform_refuses_fails_the_publication_and_is_named(stage):
    """No retry mends a picture; the person is told which."""
    await stage.becomes("carousel", *KINDS)
    await stage.fault(endpoint="create_container", kind="error", times=1, code=36003, subcode=2207009)

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"]) == ("failed", "content_rejected")
    assert (row["step"], row["child_container_ids"]) == (None, None)
    assert '"item": ' in row["error"]


async def test_a_hiccup_while_items_are_made_keeps_those_that_were_made(stage):
    """The next try makes what is missing."""
    await stage.becomes("carousel", *KINDS)
    await made_by_a_worker_that_died(stage, 0, 1)
    await stage.fault(endpoint="create_container", kind="error", times=1)

    again = await stage.run()
    between = await stage.row()
    await stage.run_when_due()

    assert again == Again(delay_ms=2_000)
    assert [child is not None for child in between["child_container_ids"]] == [True, True, False]
    assert (await stage.row())["state"] == "published"


@pytest.mark.parametrize("options", [Options(processing_s=600)])
async def test_slow_items_let_the_worker_go_and_are_all_kept(stage):
    """The poll comes back by a message; nothing is made twice, and only the first item is asked about."""
    await stage.becomes("carousel", *KINDS)
    stage.work = replace(stage.work, poll_in_worker_s=0.0)

    await stage.run()
    first = await stage.row()
    await stage.run_when_due()

    second = await stage.row()
    assert (first["state"], first["reason"], first["attempt"]) == ("scheduled", "processing", 0)
    assert (second["reason"], second["step"]) == ("processing", "children_created")
    assert second["child_container_ids"] == first["child_container_ids"]
    assert len(await stage.calls("create_container")) == len(KINDS)
    assert len(await stage.calls("get_container")) == 2


async def test_a_carousel_is_made_of_its_items_once_however_often_it_is_looked_at(stage):
    """Slow items, then a slow carousel: each delivery takes one step and none is taken twice."""
    await stage.becomes("carousel", *KINDS)
    await stage.fault(endpoint="create_container", kind="slow_processing", times=4, seconds=300)
    stage.work = replace(stage.work, poll_in_worker_s=0.0)

    await stage.run()
    stage.clock.advance(301)
    await stage.run_when_due()
    waiting = await stage.row()
    stage.clock.advance(301)
    await stage.run_when_due()

    assert (waiting["reason"], waiting["step"]) == ("processing", "container_created")
    assert (await stage.row())["state"] == "published"
    assert len(await stage.calls("create_container")) == len(KINDS) + 1


async def test_items_that_are_too_old_are_given_up(stage):
    """They would expire before the carousel is live."""
    await stage.becomes("carousel", *KINDS)
    await made_by_a_worker_that_died(stage, 0)
    await stage.pool.execute("UPDATE publications SET container_created_at = now() - interval '23 hours 55 minutes'")

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "container_expired", 1)
    assert (row["step"], row["child_container_ids"]) == (None, None)
