"""What one process learns of the platform, all know."""

import asyncio

import pytest
from redis.asyncio import Redis

from shared.instagram import open_gate
from tests.gates import UNCLEAR, throttled
from tests.waiting import until


async def said(answer):
    return answer


async def test_a_throttled_account_is_held_in_every_process_and_no_other_is(one, other):
    """Nobody calls before the end that the platform told."""
    one.saw("a", throttled(80002), account_percent=100, regain_s=1_800.0)

    wait = await other.holds("a")

    assert wait.reason == "throttled"
    assert 1_700 < wait.delay_s <= 1_800 * 1.25
    assert await other.admit("b") is None
    assert await one.admit("b") is None


async def test_a_throttled_app_holds_every_account_in_every_process(one, other):
    """The limit is of all accounts together."""
    one.saw("a", throttled(4))

    waits = [await other.holds("b"), await one.holds("c")]

    assert {wait.reason for wait in waits} == {"throttled"}


async def test_a_repeated_refusal_waits_longer_whichever_process_gets_it(one, other, redis_url):
    """The count is shared, so the second wait is twice the first."""
    one.saw("a", throttled(17))
    await other.holds("a")
    async with Redis.from_url(redis_url) as redis:
        await redis.delete("ig:block:account:a")
    other.gate._memory._known.pop("ig:block:account:a")  # noqa: SLF001 - as if the two minutes were over

    await other.admit("a")
    other.saw("a", throttled(17))

    wait = await other.holds("a")
    assert 230 < wait.delay_s <= 300


async def test_many_accounts_are_asked_after_together(other):
    """A sweep costs one round trip, and what it learned is soon too old for another try."""
    asked, exchange = [], other.gate._store.exchange  # noqa: SLF001 - where round trips are made
    now = [0.0]
    other.gate._clock = lambda: now[0]  # noqa: SLF001 - so that no time passes

    async def count(changed, keys):
        asked.append(len(keys))
        return await exchange(changed, keys)

    other.gate._store.exchange = count  # noqa: SLF001
    await other.gate.look_ahead(["a", "b", "c"])
    first = [await other.admit("a"), await other.admit("b"), len(asked)]
    await other.admit("a")
    now[0] += 2.0
    await other.admit("c")

    assert first == [None, None, 1]
    assert len(asked) == 3


async def test_an_end_that_comes_while_another_is_told_is_told_too(redis_url):
    """Whoever brings forward what waits may have looked already."""
    told: list[int] = []
    go_on = asyncio.Event()

    async def bring_forward():
        told.append(len(told))
        await go_on.wait()

    async with open_gate(redis_url, on_healed=bring_forward) as gate:
        gate.note_waiting()
        await until(lambda: said(told == [0]), what="the first end to be told")
        gate.note_waiting()
        gate.note_waiting()
        go_on.set()
        await until(lambda: said(told == [0, 1]), what="the others to be told together")
        gate.note_waiting()
        await until(lambda: said(told == [0, 1, 2]), what="one that comes later to be told")


async def test_failures_that_several_processes_see_open_the_breaker_in_all(one, other):
    """No process alone has seen three accounts fail."""
    one.saw("a", UNCLEAR)
    one.saw("b", UNCLEAR)
    other.saw("c", UNCLEAR)

    async def is_open():
        return one.gate._outage.down or other.gate._outage.down  # noqa: SLF001 - asking would take the probe's place

    await until(is_open, what="the breaker to open")
    waits = await asyncio.gather(one.admit("d"), other.admit("e"))
    assert [wait.reason for wait in waits if wait] == ["platform_down"]


async def test_calls_that_another_process_made_in_vain_are_no_outage_where_most_succeed(one, other):
    """Half of all calls must fail, and the other process counts."""
    for _ in range(20):
        other.saw("fine")
    await until(lambda: _counted(other), what="the successes to be told")

    one.saw("a", UNCLEAR)
    one.saw("b", UNCLEAR)

    async def profile():
        one.saw("a", UNCLEAR)
        raise UNCLEAR

    assert await one.gate.confirm_outage(profile) is None


async def _counted(process):
    return process.gate._outage.window._untold.answered == 0  # noqa: SLF001


@pytest.fixture
async def outage(one):
    """The platform is down, as one process has seen."""
    for ig_user_id in "abc":
        one.saw(ig_user_id, UNCLEAR)
    await one.gate._sync(())  # noqa: SLF001 - told now, not within the second


@pytest.mark.usefixtures("outage")
async def test_one_probe_at_a_time_tries_a_platform_that_is_down(one, other):
    """Of a hundred in two processes."""
    answers = await asyncio.gather(*(process.admit(str(n)) for n in range(50) for process in (one, other)))

    waits = [wait for wait in answers if wait is not None]
    assert len(waits) == 99
    assert {wait.reason for wait in waits} == {"platform_down"}
    assert all(15 <= wait.delay_s <= 22.5 for wait in waits)


@pytest.mark.usefixtures("outage")
async def test_a_probe_that_gets_through_opens_the_way_for_all(one, other):
    """And each process is told once, so that it can bring forward what waits."""
    assert await other.admit("d") is None
    assert await one.admit("e") is not None

    other.saw("d")
    other.leave("d")

    await one.opens()
    async with asyncio.timeout(30):
        await asyncio.gather(one.healed.wait(), other.healed.wait())
    assert await one.admit("a") is None


@pytest.mark.usefixtures("outage")
async def test_a_probe_that_fails_keeps_the_way_closed_for_all(one, other):
    """The next one tries after the pause."""
    assert await other.admit("d") is None

    other.saw("d", UNCLEAR)
    other.leave("d")

    assert (await other.admit("d")).reason == "platform_down"
    assert (await one.admit("e")).reason == "platform_down"


@pytest.mark.usefixtures("outage")
async def test_a_probe_that_made_no_call_gives_its_place_to_the_next(one, other):
    """Its row was taken over by another worker, or its worker was told to stop."""
    assert await other.admit("d") is None
    other.leave("d")

    async def next_probe():
        return await one.admit("e") is None

    await until(next_probe, what="the probe's place")
    assert one.gate._outage.down  # noqa: SLF001 - admitted as the probe, not because it was over


async def test_a_single_account_finds_out_by_a_cheap_read(one):
    """There is no evidence across accounts: its failures alone say nothing, a failing read says it."""
    one.saw("a", UNCLEAR)

    async def profile():
        one.saw("a", UNCLEAR)
        raise UNCLEAR

    wait = await one.gate.confirm_outage(profile)

    assert wait is not None
    assert wait.reason == "platform_down"


async def test_an_account_that_the_platform_serves_has_failures_of_its_own(one):
    """The read gets through: the publication is at fault."""
    one.saw("a", UNCLEAR)

    async def profile():
        one.saw("a")

    assert await one.gate.confirm_outage(profile) is None
    assert await one.admit("a") is None
