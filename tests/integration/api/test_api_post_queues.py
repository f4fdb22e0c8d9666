"""Post queues: which posts wait, and in which order."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from shared.alerts import Alert, AlertCode, Severity, raise_alerts


@pytest.fixture
async def posts(alice):
    """Three posts."""
    first = await alice.add_post()
    media = (await alice.get(f"/v1/posts/{first}")).body["media_ids"]
    more = [await alice.post("/v1/posts", json={"media_ids": media}) for _ in range(2)]
    return [first, *(answer.body["id"] for answer in more)]


async def make(client, **fields):
    made = await client.post("/v1/post-queues", json={"name": "Q", **fields})
    assert made.status == 201, made.body
    return made.body


async def change(client, queue, **fields):
    return await client.call("PATCH", f"/v1/post-queues/{queue['id']}", json=fields)


async def test_posts_wait_in_the_order_in_which_they_were_named(gateway, alice, bob, posts):
    """More come after them, a list replaces them; lists of queues tell how many wait and which is next."""
    first, second, third = posts
    queue = await make(alice, post_ids=[second, first])
    path = f"/v1/post-queues/{queue['id']}"

    longer = await alice.post(f"{path}/posts", json={"post_ids": [third, second]})
    listed = (await alice.get("/v1/post-queues")).body["data"][0]
    replaced = await change(alice, queue, post_ids=[third], on_empty="repeat", name="Other")

    assert (queue["post_ids"], queue["on_empty"], queue["post_count"]) == ([second, first], "wait", 2)
    assert (longer.status, longer.body["post_ids"]) == (200, [second, first, third, second])
    assert (listed["post_count"], listed["next_post_id"], "post_ids" in listed) == (4, second, False)
    assert (replaced.body["post_ids"], replaced.body["name"], replaced.body["on_empty"]) == ([third], "Other", "repeat")
    assert (await alice.get(path)).body == replaced.body
    assert (await bob.get(path)).status == (await bob.call("DELETE", path)).status == 404
    lines = await gateway.rows("SELECT action, after FROM audit_log WHERE subject_type = 'post_queue' ORDER BY id")
    assert [line["action"].partition(".")[2] for line in lines] == ["created", "filled", "changed"]
    assert json.loads(lines[1]["after"]) == {"added": 2, "post_count": 4}


async def test_a_queue_can_be_emptied(alice, posts):
    """An empty list takes all of them out; nothing is next then."""
    queue = await make(alice, post_ids=posts)

    emptied = await change(alice, queue, post_ids=[])

    assert (emptied.body["post_ids"], emptied.body["post_count"], emptied.body["next_post_id"]) == ([], 0, None)
    assert (await alice.get(f"/v1/posts/{posts[0]}")).status == 200


async def test_what_cannot_be_had_changes_nothing(alice, bob, posts):
    """A taken name, a foreign or removed post, too many of them, another version."""
    queue, foreign = await make(alice, post_ids=posts[:1]), await bob.add_post()
    await alice.call("DELETE", f"/v1/posts/{posts[2]}")
    path = f"/v1/post-queues/{queue['id']}"

    taken = await alice.post("/v1/post-queues", json={"name": "Q"})
    unknown = await alice.post(f"{path}/posts", json={"post_ids": [posts[1], foreign, posts[2]]})
    many = await alice.post(f"{path}/posts", json={"post_ids": [posts[0]] * 1_000})
    none = await alice.post(f"{path}/posts", json={"post_ids": []})
    late = await alice.call("PATCH", path, json={"name": "x"}, headers={"If-Match": '"of long ago"'})

    assert (taken.status, taken.body["code"], taken.body["existing_id"]) == (409, "name_taken", queue["id"])
    assert (unknown.status, [fault["path"] for fault in unknown.body["errors"]]) == (
        404,
        ["post_ids[1]", "post_ids[2]"],
    )
    assert [(answer.status, answer.body["errors"][0]["path"]) for answer in (many, none)] == [(422, "post_ids")] * 2
    assert (late.status, late.body["code"]) == (412, "version_mismatch")
    other = await make(alice, name="R")
    assert (await change(alice, other, name="Q")).body["code"] == "name_taken"
    assert (await alice.get(path)).body == queue


async def test_posts_end_the_alert_of_an_empty_queue(gateway, alice, posts):
    """So does the removal of the queue."""
    queues = [await make(alice, name=name) for name in ("Q", "R")]
    alerts = [
        Alert(
            user_id=UUID(alice.user_id),
            code=AlertCode.QUEUE_EMPTY,
            severity=Severity.WARNING,
            subject_type="post_queue",
            subject_id=UUID(queue["id"]),
            text="It is empty.",
            advice="Add posts.",
        )
        for queue in queues
    ]
    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        await raise_alerts(connection, alerts)

    await alice.post(f"/v1/post-queues/{queues[0]['id']}/posts", json={"post_ids": posts[:1]})
    await alice.call("DELETE", f"/v1/post-queues/{queues[1]['id']}")

    assert [row["state"] for row in await gateway.rows("SELECT state FROM alerts")] == ["resolved"] * 2


async def test_posts_that_come_at_once_all_wait_and_a_repetition_adds_nothing(alice, posts):
    """Requests that race stand one after the other; one that is sent twice under its key counts once."""
    queue = await make(alice)
    path = f"/v1/post-queues/{queue['id']}/posts"
    same = {"headers": {"Idempotency-Key": uuid4().hex}, "json": {"post_ids": posts}}

    await asyncio.gather(*(alice.post(path, json={"post_ids": [post]}) for post in posts))
    twice = [await alice.post(path, **same) for _ in range(2)]

    assert twice[0].body == twice[1].body
    waiting = twice[1].body["post_ids"]
    assert (sorted(waiting[:3]), waiting[3:]) == (sorted(posts), posts)


async def test_a_removed_post_leaves_the_queues_in_which_it_waits(alice, posts):
    """The others keep their places."""
    queue = await make(alice, post_ids=[posts[0], posts[1], posts[0], posts[2]])

    removed = await alice.call("DELETE", f"/v1/posts/{posts[0]}")

    assert removed.status == 200
    assert (await alice.get(f"/v1/post-queues/{queue['id']}")).body["post_ids"] == posts[1:]
