"""Running together or alone."""

import asyncio

from shared.jobs.gate import Gate


class Room:
    """Who is in, and who was in together with whom."""

    def __init__(self):
        self.gate = Gate()
        self.inside = set()
        self.met = {}
        self.leave = {}

    async def enter(self, name, *, alone):
        self.leave[name] = asyncio.Event()
        if alone:
            async with self.gate.alone():
                await self.stay(name)
        else:
            await self.gate.enter()
            try:
                await self.stay(name)
            finally:
                self.gate.leave()

    async def stay(self, name):
        self.inside.add(name)
        for other in self.inside:
            self.met.setdefault(other, set()).update(self.inside - {other})
        await self.leave[name].wait()
        self.inside.discard(name)

    async def settle(self):
        """Let everybody go as far as they can."""
        for _ in range(20):
            await asyncio.sleep(0)


async def test_any_number_run_together():
    """Nobody waits while nobody wants to be alone."""
    room = Room()

    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(room.enter(name, alone=False))
        await room.settle()
        inside = set(room.inside)
        for event in room.leave.values():
            event.set()

    assert inside == {"a", "b", "c"}


async def test_one_that_runs_alone_waits_for_those_inside_and_keeps_the_next_outside():
    """Before it, beside it and after it: never together."""
    room = Room()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(room.enter("before", alone=False))
        await room.settle()
        tasks.create_task(room.enter("suspect", alone=True))
        tasks.create_task(room.enter("another", alone=True))
        await room.settle()
        tasks.create_task(room.enter("after", alone=False))
        await room.settle()
        seen = [set(room.inside)]
        for name in ("before", "suspect", "another", "after"):
            room.leave[name].set()
            await room.settle()
            seen.append(set(room.inside))

    assert seen == [{"before"}, {"suspect"}, {"another"}, {"after"}, set()]
    assert not any(room.met.values())


async def test_a_canceled_wait_for_solitude_lets_the_others_in():
    """A stop in the midst of waiting closes nothing for ever."""
    room = Room()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(room.enter("inside", alone=False))
        await room.settle()
        waiting = tasks.create_task(room.enter("suspect", alone=True))
        await room.settle()
        tasks.create_task(room.enter("next", alone=False))
        waiting.cancel()
        await room.settle()
        inside = set(room.inside)
        room.leave["inside"].set()
        room.leave["next"].set()

    assert inside == {"inside", "next"}
