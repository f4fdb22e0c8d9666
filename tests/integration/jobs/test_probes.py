"""Probes: how long one waits in each lane of a work queue, learned on a real broker by standing in line."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from services.scheduler.probe_lanes import LaneProbes
from shared.jobs import JobPriority, declare_topology, open_session
from shared.jobs.topology import DEAD_QUEUE, work_queue
from tests.waiting import until

QUEUE = work_queue("health")
ALL = set(JobPriority)


class Clock:
    """Seconds that pass when the test says so."""

    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def probes(clock):
    return LaneProbes(clock=clock)


@asynccontextmanager
async def asking(probes, url):
    """The two sessions of whoever asks: one takes the answers, on the channel of the other probes are sent."""
    async with open_session((url,), name="test-observer") as session, open_session((url,), name="test-probes") as other:
        await declare_topology(session.connection)
        await probes.listen(session)
        channel = await other.connection.channel(publisher_confirms=False)
        yield session, await channel.get_underlay_channel()


async def until_back(probes):
    async def back():
        return not probes.out(QUEUE)

    await until(back, what="the answers of all probes")


async def until_depth(engine, depth):
    async def reached():
        return await engine.depth() == depth

    await until(reached, what=f"{depth} messages in the queue")


def ages(probes):
    return {age for (queue, _), age in probes.ages_s().items() if queue == QUEUE}


async def test_a_lane_that_nobody_serves_grows_older_until_its_probe_is_back(engine, probes, clock):
    """The age follows the waiting probe, stays when it comes back, and falls as soon as the next one has passed."""
    async with asking(probes, engine.amqp_url) as (_, channel):
        await probes.send(channel)
        clock.seconds = 42.0
        waiting = ages(probes)

        async with engine.consuming():
            await until_back(probes)
            came_back = ages(probes)
            clock.seconds = 50.0
            await probes.send(channel)
            await until_back(probes)

    assert waiting == came_back == {42.0}
    assert ages(probes) == {0.0}


async def test_a_lane_holds_one_probe_at_most(engine, probes):
    """A service that is down collects no more of them, however long it takes."""
    async with asking(probes, engine.amqp_url) as (_, channel):
        for _ in range(3):
            await probes.send(channel)
        await until_depth(engine, len(ALL))

        assert probes.out(QUEUE) == ALL


async def test_a_probe_is_no_job(engine, probes):
    """No handler sees it, nothing is parked, and the queue is empty after it."""
    async with asking(probes, engine.amqp_url) as (session, channel), engine.consuming():
        await probes.send(channel)
        await until_back(probes)
        dead = await session.channel.declare_queue(DEAD_QUEUE, passive=True)

        assert engine.seen == []
        assert dead.declaration_result.message_count == 0
        assert await engine.depth() == 0


async def test_a_probe_waits_as_long_as_a_job_of_its_lane(engine, probes):
    """It takes no slot that is not free, and stands behind what came before it and what is more urgent."""
    entered, free = asyncio.Event(), asyncio.Event()
    seen = []

    async def hold(_job):
        entered.set()
        await free.wait()

    async def look(_job):
        async def critical_is_back():
            return JobPriority.CRITICAL not in probes.out(QUEUE)

        await until(critical_is_back, what="the probe of the critical lane")
        seen.append(probes.out(QUEUE))

    engine.script |= {"first": hold, "second": look}
    async with asking(probes, engine.amqp_url) as (_, channel), engine.consuming(slots=1):
        await engine.add("first")
        await engine.relay()
        await entered.wait()
        await engine.add("second")
        await engine.relay()
        await probes.send(channel)
        await until_depth(engine, 1 + len(ALL))
        held = probes.out(QUEUE)
        free.set()
        await until_back(probes)

    assert held == ALL
    # A health check is a job of the high lane: only the critical probe was before it.
    assert seen == [ALL - {JobPriority.CRITICAL}]


async def test_probes_of_a_lost_session_are_forgotten_and_the_age_is_not(engine, probes, clock, line):
    """New ones are sent on the next session; a hiccup of the line does not make a backlog look young."""
    parts = urlsplit(engine.amqp_url)
    through_proxy = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{line.port}").geturl()
    async with asking(probes, through_proxy) as (session, channel):
        await probes.send(channel)
        clock.seconds = 10.0
        line.cut()
        await asyncio.wait_for(session.lost.wait(), 10)

    async with asking(probes, engine.amqp_url) as (_, channel):
        forgotten = probes.out(QUEUE)
        before = ages(probes)
        await probes.send(channel)
        async with engine.consuming():
            await until_back(probes)

    assert forgotten == set()
    assert before == {10.0}
    assert ages(probes) == {0.0}


async def test_probes_that_somebody_purged_are_sent_again(engine, probes, clock):
    """After a minute without enough messages to be among, they are given up; before, and among others, they wait."""
    async with asking(probes, engine.amqp_url) as (session, channel):
        await probes.send(channel)
        await until_depth(engine, len(ALL))
        clock.seconds = 61.0
        probes.forget_lost({QUEUE: len(ALL)})
        among_others = probes.out(QUEUE)
        await session.underlay.queue_purge(QUEUE)
        probes.forget_lost({QUEUE: 0})
        given_up = probes.out(QUEUE)
        await probes.send(channel)
        probes.forget_lost({QUEUE: 0})

        assert (among_others, given_up, probes.out(QUEUE)) == (ALL, set(), ALL)
        await until_depth(engine, len(ALL))
