"""A worker that ends under load, by order or by force."""

import asyncio
import signal
from itertools import pairwise

from tests.faults.worker import Errand

SLOTS = 16
# A machine that stands still for a moment must not end the drain of jobs that take milliseconds.
DRAIN_S = 2.0
# Handlers that are canceled at the end of the drain get some seconds to hand back what they hold.
STOP_DEADLINE_S = DRAIN_S + 8.0
HOLDING = 6
# Quick and less quick jobs, and among the first of them some that last until they are let go.
LOAD = [
    Errand(holds=True) if number % 20 == 7 and number < 20 * HOLDING else Errand(lasts_s=number % 10 / 400)
    for number in range(400)
]


async def test_a_stop_under_load_gives_back_what_it_does_not_finish(ground):
    """Each job either ended once or waits in the queue as if nobody had ever taken it."""
    jobs = await stopped_under_load(ground)

    waiting = await ground.waiting()
    ended = ground.counts("ended")

    assert set(ended.values()) == {1}
    assert sorted([*ended, *(message.headers["x-job-id"] for message in waiting)]) == sorted(jobs)
    assert {message.redelivered for message in waiting} == {False}
    assert {message.headers.get("x-attempt", "1") for message in waiting} == {"1"}
    assert ground.counts("canceled").keys() <= {message.headers["x-job-id"] for message in waiting}
    assert await ground.suspects() == 0


async def test_what_a_stopped_worker_gave_back_the_next_one_finishes(ground):
    """All jobs end, each of them once, and nothing is parked."""
    jobs = await stopped_under_load(ground)

    ground.release()
    async with ground.kept(slots=SLOTS):
        await ground.until_ended(jobs)

    assert ground.counts("ended") == dict.fromkeys(jobs, 1)
    assert await ground.waiting() == []
    assert await ground.dead() == []
    assert await ground.suspects() == 0


async def test_a_killed_worker_loses_nothing_and_what_it_ran_runs_alone(ground):
    """What was in hand comes again, each with nothing beside it; the rest flows as before."""
    jobs = await ground.add(*LOAD)
    ground.hold()

    async with ground.kept(slots=SLOTS):
        await ground.until_ended(100)
        ground.lives[0].send_signal(signal.SIGKILL)
        await ground.until_lives(2)
        ground.release()
        await ground.until_ended(jobs)

    first, second = (life(ground, process) for process in ground.lives)
    ended = ground.counts("ended")
    in_hand = told(first, "started") - told(first, "ended")
    assert ended.keys() == set(jobs)
    assert sum(ended.values()) - len(jobs) <= SLOTS
    assert HOLDING <= len(in_hand) <= SLOTS
    assert in_hand <= alone(second)
    assert await ground.dead() == []
    assert await ground.suspects() == 0


async def stopped_under_load(ground):
    """The ids of all jobs, once a worker was stopped in the midst of them: some quick, some that outlast the drain."""
    jobs = await ground.add(*LOAD)
    ground.hold()
    worker = await ground.start(slots=SLOTS, drain_s=DRAIN_S)
    await ground.until_ended(100)

    worker.send_signal(signal.SIGTERM)

    async with asyncio.timeout(STOP_DEADLINE_S):
        assert await worker.wait() == 0
    return jobs


def life(ground, process):
    """What one worker did."""
    return [entry for entry in ground.record() if entry.pid == process.pid]


def told(entries, event):
    return {entry.subject for entry in entries if entry.event == event}


def alone(entries):
    """The jobs that ran with nothing beside them, neither at their beginning nor until their end."""
    return {
        first.subject
        for first, second in pairwise(entries)
        if (first.event, second.event) == ("started", "ended") and first.subject == second.subject and not first.beside
    }
