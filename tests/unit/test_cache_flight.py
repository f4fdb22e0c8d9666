from __future__ import annotations

import asyncio

import pytest

from shared.cache.flight import SingleFlight


class Load:
    """A load that says when it began and ends when it is told to."""

    def __init__(self, result="loaded"):
        self.result = result
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.runs = 0

    async def __call__(self):
        self.runs += 1
        self.began.set()
        await self.may_end.wait()
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def new_flights() -> SingleFlight[str]:
    return SingleFlight()


async def ask(flights, load, version="v1"):
    return await flights.share(("key", version), load)


async def test_a_hundred_callers_share_one_load():
    """However many ask at the same time, the loader runs once and nothing is kept afterwards."""
    flights, load = new_flights(), Load()
    callers = [asyncio.create_task(ask(flights, load)) for _ in range(100)]
    await load.began.wait()

    load.may_end.set()

    assert await asyncio.gather(*callers) == ["loaded"] * 100
    assert load.runs == 1
    await asyncio.sleep(0)
    assert len(flights) == 0


async def test_a_cancelled_caller_leaves_the_load_to_the_others():
    """The caller who began a load may go away without taking it along."""
    flights, load = new_flights(), Load()
    first, second = (asyncio.create_task(ask(flights, load)) for _ in range(2))
    await load.began.wait()

    first.cancel()
    await asyncio.wait({first})
    load.may_end.set()

    assert await second == "loaded"
    assert first.cancelled()
    assert load.runs == 1


async def test_a_load_that_everybody_left_can_still_be_joined():
    """A caller who comes after all others were cancelled finds the load under way."""
    flights, load = new_flights(), Load()
    first = asyncio.create_task(ask(flights, load))
    await load.began.wait()
    first.cancel()
    await asyncio.wait({first})

    late = asyncio.create_task(ask(flights, load))
    await asyncio.sleep(0)
    load.may_end.set()

    assert await late == "loaded"
    assert load.runs == 1


async def test_an_error_reaches_everyone_who_waited():
    """All callers of a failing load get its error, and the next caller loads anew."""
    flights, load = new_flights(), Load(result=ValueError("no database"))
    callers = [asyncio.create_task(ask(flights, load)) for _ in range(5)]
    await load.began.wait()
    load.may_end.set()

    outcomes = await asyncio.gather(*callers, return_exceptions=True)

    assert [str(outcome) for outcome in outcomes] == ["no database"] * 5
    with pytest.raises(ValueError, match="no database"):
        await ask(flights, load)
    assert load.runs == 2


async def test_callers_who_saw_different_versions_do_not_share():
    """A caller who saw a newer version never gets what was loaded under the older one."""
    flights, old, new = new_flights(), Load("old"), Load("new")
    before = asyncio.create_task(ask(flights, old, "v1"))
    await old.began.wait()

    after = asyncio.create_task(ask(flights, new, "v2"))
    await new.began.wait()
    old.may_end.set()
    new.may_end.set()

    assert await before == "old"
    assert await after == "new"


async def test_closing_ends_what_still_loads():
    """After close no load runs and no name is held."""
    flights, load = new_flights(), Load()
    caller = asyncio.create_task(ask(flights, load))
    await load.began.wait()

    await flights.close()
    await asyncio.wait({caller})
    await asyncio.sleep(0)

    assert caller.cancelled()
    assert len(flights) == 0
