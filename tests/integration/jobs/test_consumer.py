"""A session lost in every way, and an orderly stop."""

import asyncio

import pytest

from shared.jobs import (
    TopologyError,
    declare_topology,
)
from shared.jobs.topology import work_queue
from tests.waiting import until

QUEUE = work_queue("health")
OTHERWISE = {"x-max-priority": 9}


async def test_a_deleted_queue_is_made_again_and_reported(running):
    """The broker cancels the consumer; work goes on without a restart by hand."""
    async with await running.broker() as connection:
        channel = await connection.channel()
        await channel.queue_delete(QUEUE)

    async def reported():
        return QUEUE in running.missing

    running.missing.clear()
    await until(reported, what="the report of the missing queue")
    await running.add("after")
    await running.relay()
    await running.wait_for(1)

    assert await running.subjects() == ["after"]


async def test_a_cut_connection_is_made_again_and_interrupts_no_handler(running, line):
    """A job whose acknowledgement is lost comes twice, never not at all; the first run goes on to its end."""
    cut, entered, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold(_job):
        entered.set()
        await cut.wait()
        ended.set()

    running.script["held"] = hold
    await running.add("held")
    await running.relay()
    await entered.wait()

    line.cut()
    running.script.clear()
    await running.wait_for(2)
    cut.set()
    await asyncio.wait_for(ended.wait(), 10)

    assert await running.subjects() == ["held", "held"]
    assert await running.pool.fetchval("SELECT count(*) FROM job_starts") == 0


async def test_a_stop_lets_a_running_handler_finish_and_takes_nothing_new(engine):
    """Drain: what runs ends and is acknowledged, what waits stays in the queue."""
    stop, entered, finish = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_job):
        entered.set()
        await finish.wait()

    engine.script["running"] = slow
    consumer = engine.consumer(slots=1)
    task = asyncio.create_task(consumer.run(stop))
    await engine.add("running")
    await engine.relay()
    await entered.wait()
    await engine.add("waiting")
    await engine.relay()

    stop.set()
    finish.set()
    await task

    assert await engine.subjects() == ["running"]
    assert await engine.depth() == 1


async def test_a_handler_that_outlasts_the_drain_is_canceled_and_its_job_comes_again(engine):
    """Nothing is lost at the deadline."""
    stop, entered = asyncio.Event(), asyncio.Event()

    async def endless(_job):
        entered.set()
        await asyncio.Event().wait()

    engine.script["endless"] = endless
    task = asyncio.create_task(engine.consumer(drain_s=0.05).run(stop))
    await engine.add("endless")
    await engine.relay()
    await entered.wait()

    stop.set()
    await task

    assert await engine.depth() == 1


async def test_changed_queues_and_exchanges_are_one_error_that_lists_all(engine):
    """A person sees every difference, what is there and what should be, and what to do."""
    async with await engine.broker() as connection:
        channel = await connection.channel()
        await channel.declare_queue(QUEUE, durable=True, arguments=OTHERWISE)
        await channel.declare_queue("jobs.retry.v1.2000", durable=True, arguments={"x-message-ttl": 1})
        await channel.declare_exchange("jobs.dead", "direct", durable=True)

        with pytest.raises(TopologyError) as raised:
            await declare_topology(connection)

    lines = str(raised.value).splitlines()
    assert "- exchange jobs.dead: type is direct there, topic here" in lines
    assert "- queue jobs.health.v1: x-max-priority is 9 there, 5 here" in lines
    # The broker names one argument for each queue.
    assert any(line.startswith("- queue jobs.retry.v1.2000: x-") for line in lines)
    assert "delete it" in lines[-1]


async def test_a_consumer_ends_with_that_error_instead_of_trying_for_ever(engine):
    """No reconnect loop over a difference that only a person can settle."""
    async with await engine.broker() as connection:
        channel = await connection.channel()
        await channel.declare_queue(QUEUE, durable=True, arguments=OTHERWISE)

    with pytest.raises(TopologyError, match="x-max-priority is 9 there"):
        await engine.consumer().run(asyncio.Event())
