"""Post queues: what is published next, one post after the other."""

import asyncio

import pytest

from tests.schedules import (
    add_group,
    add_occurrence,
    add_posts,
    add_queue,
    add_schedule,
    live_alerts,
    posts_in,
    process,
    put_in,
)


@pytest.fixture
async def take(pool, tenant):
    """Let a schedule of the first account take the next post of a queue."""

    async def take_from(queue_id):
        schedule_id = await add_schedule(pool, tenant.user_id, account_id=tenant.account_ids[0], post_queue_id=queue_id)
        return await process(pool, await add_occurrence(pool, schedule_id))

    return take_from


async def test_posts_leave_a_queue_in_their_order(pool, tenant, take):
    """Each once, whichever schedule takes it; removed ones are passed over."""
    posts = await add_posts(pool, tenant.user_id, 4)
    queue_id = await add_queue(pool, tenant.user_id, posts)
    await pool.execute("UPDATE posts SET removed_at = now() WHERE id = $1", posts[1])

    rows = [await take(queue_id) for _ in range(2)]

    assert [row["post_id"] for row in rows] == [posts[0], posts[2]]
    assert await posts_in(pool, queue_id) == [posts[3]]


async def test_schedules_that_share_a_queue_take_different_posts(pool, tenant, take):
    """However close together they come."""
    posts = await add_posts(pool, tenant.user_id, 3)
    queue_id = await add_queue(pool, tenant.user_id, posts)

    rows = await asyncio.gather(*(take(queue_id) for _ in range(3)))

    assert {row["post_id"] for row in rows} == set(posts)
    assert await posts_in(pool, queue_id) == []


async def test_a_queue_that_begins_anew_puts_its_posts_at_the_end(pool, tenant, take):
    """They are meant to come again on the same accounts."""
    posts = await add_posts(pool, tenant.user_id, 2)
    queue_id = await add_queue(pool, tenant.user_id, posts, on_empty="repeat")

    rows = [await take(queue_id) for _ in range(3)]

    assert [row["post_id"] for row in rows] == [posts[0], posts[1], posts[0]]
    assert [row["state"] for row in rows] == ["distributed"] * 3
    assert await posts_in(pool, queue_id) == [posts[1], posts[0]]


async def test_an_empty_queue_is_told_until_a_post_is_taken(pool, tenant, take):
    """Nothing is published, and a person knows."""
    queue_id = await add_queue(pool, tenant.user_id)

    empty = await take(queue_id)
    alerts = await live_alerts(pool)
    await put_in(pool, queue_id, tenant.user_id, [tenant.post_id])
    filled = await take(queue_id)

    assert (empty["state"], empty["reason"]) == ("skipped", "queue_empty")
    assert alerts == [("queue_empty", queue_id)]
    assert filled["state"] == "distributed"
    assert await live_alerts(pool) == []


async def test_a_post_that_nobody_can_publish_stays_first(pool, tenant, take):
    """Its turn comes when an account can."""
    [post_id] = await add_posts(pool, tenant.user_id, 1)
    queue_id = await add_queue(pool, tenant.user_id, [post_id])
    await pool.execute("UPDATE accounts SET state = 'NEEDS_REAUTH'")

    held_up = await take(queue_id)
    await pool.execute("UPDATE accounts SET state = 'ACTIVE'")
    taken = await take(queue_id)

    assert (held_up["state"], held_up["reason"], held_up["conflict_count"]) == ("skipped", "no_account", 1)
    assert held_up["post_id"] == taken["post_id"] == post_id
    assert taken["state"] == "distributed"


async def test_a_post_of_a_queue_is_not_published_twice_on_an_account(pool, tenant):
    """It was published by hand on one; the others have it from the queue."""
    [post_id] = await add_posts(pool, tenant.user_id, 1)
    group_id = await add_group(pool, tenant.user_id, tenant.account_ids)
    by_hand = await add_schedule(pool, tenant.user_id, account_id=tenant.account_ids[0], post_id=post_id)
    await process(pool, await add_occurrence(pool, by_hand))
    queue_id = await add_queue(pool, tenant.user_id, [post_id])
    schedule_id = await add_schedule(pool, tenant.user_id, group_id=group_id, post_queue_id=queue_id)

    row = await process(pool, await add_occurrence(pool, schedule_id))

    assert (row["publications"], row["conflict_count"]) == (2, 1)
    assert '"duplicate_content"' in row["conflicts"]
