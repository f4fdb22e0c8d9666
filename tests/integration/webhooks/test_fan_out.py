"""Fan-out: what happened becomes deliveries, once for each webhook that wants it."""

from __future__ import annotations

import asyncio
import json

from services.scheduler import fan_out_events
from services.scheduler.fan_out_events import bring_back_positions, fan_out_once


async def deliveries(pool):
    return await pool.fetch("SELECT * FROM webhook_deliveries ORDER BY id")


async def test_each_webhook_gets_what_it_asked_for(pool, webhooks):
    """By type, by kind, or all; with the event's own id, and with the job that sends it."""
    everything = await webhooks.add()
    failures = await webhooks.add(events=["publication.failed"])
    media = await webhooks.add(events=["media.*"])
    failed, reachable = await webhooks.happen("publication.failed", "media.reachable")

    await webhooks.fan_out()

    rows = await deliveries(pool)
    found = {(row["webhook_id"], row["event_id"]) for row in rows}
    jobs = await pool.fetch("SELECT subject FROM outbox WHERE type = 'webhook:deliver'")
    told = json.loads(rows[0]["payload"])
    assert found == {(everything, failed), (everything, reachable), (failures, failed), (media, reachable)}
    assert len(rows) == 4
    assert {job["subject"] for job in jobs} == {str(row["id"]) for row in rows}
    assert told.keys() == {"id", "type", "timestamp", "subject", "data"}
    assert told["data"] == {"n": 1}


async def test_a_webhook_begins_with_what_happens_after_it_was_made(pool, webhooks):
    """Also when it is enabled again."""
    await webhooks.happen("media.reachable")
    await webhooks.add()

    await webhooks.fan_out()

    assert await deliveries(pool) == []


async def test_a_disabled_webhook_gets_nothing(pool, webhooks):
    """Nothing is gathered for it either."""
    await webhooks.add()
    await pool.execute("UPDATE webhooks SET state = 'disabled'")
    await webhooks.happen("media.reachable")

    await webhooks.fan_out()

    assert await deliveries(pool) == []


async def test_an_event_that_is_committed_late_is_not_passed_over(pool, webhooks):
    """Those that were numbered after it wait for it."""
    await webhooks.add()
    async with pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        [late] = await webhooks.happen("media.reachable", tx=slow)
        [early] = await webhooks.happen("media.unreachable")
        await webhooks.fan_out()
        before = await deliveries(pool)
        await transaction.commit()

    await webhooks.fan_out()

    assert before == []
    assert [row["event_id"] for row in await deliveries(pool)] == [late, early]


async def test_many_schedulers_make_one_delivery_of_each_event(pool, webhooks, monkeypatch):
    """A webhook is read on by one at a time, in batches, from where the one before has come."""
    monkeypatch.setattr(fan_out_events, "_EVENTS", 7)
    monkeypatch.setattr(fan_out_events, "_FRESH_MAX", 1_000)
    for _ in range(3):
        await webhooks.add()
    happened = await webhooks.happen(*["publication.published"] * 50)

    await asyncio.gather(*(webhooks.fan_out() for _ in range(4)))
    await webhooks.fan_out()

    rows = await deliveries(pool)
    assert len(rows) == 150
    assert {row["event_id"] for row in rows} == set(happened)
    assert len({(row["webhook_id"], row["event_id"]) for row in rows}) == 150


async def test_a_receiver_that_takes_nothing_holds_back_its_own_events_alone(pool, webhooks, monkeypatch):
    """No more is gathered for it while so much waits for a first try; then it goes on where it was."""
    monkeypatch.setattr(fan_out_events, "_EVENTS", 10)
    monkeypatch.setattr(fan_out_events, "_FRESH_MAX", 10)
    slow, quick = await webhooks.add(), await webhooks.add(events=["media.*"])
    await webhooks.happen(*["publication.published"] * 25, "media.reachable")

    waits = [await fan_out_once(pool) for _ in range(6)]
    counts = await pool.fetch("SELECT webhook_id, count(*) FROM webhook_deliveries GROUP BY 1")
    await pool.execute("UPDATE webhook_deliveries SET state = 'delivered'")
    await webhooks.fan_out()

    assert waits[-1] is None
    assert {row["webhook_id"]: row["count"] for row in counts} == {slow: 10, quick: 1}
    assert await pool.fetchval("SELECT count(*) FROM webhook_deliveries WHERE webhook_id = $1", slow) == 20


async def test_numbers_of_another_cluster_hold_nothing_up(pool, webhooks):
    """After a restore a webhook may stand where this server's transactions will be in years."""
    await webhooks.add()
    await pool.execute("UPDATE webhooks SET position_tx = '9000000000000'")
    await bring_back_positions(pool)
    await webhooks.happen("media.reachable")

    await webhooks.fan_out()

    assert len(await deliveries(pool)) == 1
