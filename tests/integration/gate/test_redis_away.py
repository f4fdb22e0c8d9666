"""Without Redis every process goes on by what it knows itself, and tells it when Redis is back."""

import asyncio

import pytest

from tests.gates import PATIENCE_S, UNCLEAR, process_on, throttled
from tests.waiting import until


@pytest.fixture(params=["dead", "hung"])
async def gone(request, server):
    """Takes Redis away, in one of two ways."""

    async def take_away():
        if request.param == "dead":
            await server.kill()
        else:
            server.hang()

    yield take_away
    if request.param == "hung":
        server.wake()


async def test_what_was_known_still_holds_and_what_is_new_is_learned(server, gone):
    """Limits, outages, and one probe at a time, in this process alone."""
    async with process_on(server.url) as process:
        process.saw("a", throttled(80002), regain_s=600.0)
        await process.holds("a")
        await gone()

        process.saw("b", throttled(17))
        held = [await process.admit("a"), await process.admit("b"), await process.admit("c")]
        for ig_user_id in "def":
            process.saw(ig_user_id, UNCLEAR)
        down = await asyncio.gather(*(process.admit(str(number)) for number in range(10)))

    assert [wait and wait.reason for wait in held] == ["throttled", "throttled", None]
    assert [wait.reason for wait in down if wait] == ["platform_down"] * 9


async def test_an_outage_can_end_without_redis(server, gone):
    """The probe's place is given and taken back here."""
    async with process_on(server.url) as process:
        await gone()
        for ig_user_id in "abc":
            process.saw(ig_user_id, UNCLEAR)

        assert await process.admit("d") is None
        assert await process.admit("e") is not None
        process.saw("d")
        process.leave("d")

        assert await process.admit("e") is None
        async with asyncio.timeout(30):
            await process.healed.wait()


async def test_only_the_first_waits_for_a_redis_that_hangs(server):
    """Whoever comes after it is answered from memory, without a single question to Redis."""
    async with process_on(server.url) as process:
        assert await process.admit("a") is None
        server.hang()
        await process.admit("a")

        assert process.gate._store.away  # noqa: SLF001
        asked = process.gate.admit("b")
        with pytest.raises(StopIteration) as answer:
            asked.send(None)  # it ends without having waited for anything

        assert answer.value.value is None
        server.wake()


async def test_a_redis_that_was_restarted_is_told_what_it_has_forgotten(server):
    """A wait that the platform told is a wait for all, also for those who come after."""
    async with process_on(server.url, operation_s=PATIENCE_S) as process:
        process.saw("a", throttled(80002), regain_s=600.0)
        await process.holds("a")
        await server.kill()
        process.saw("b", throttled(17))
        await server.start()

        async with process_on(server.url, operation_s=PATIENCE_S) as other:
            waits = [await other.holds("a"), await other.holds("b")]

    assert {wait.reason for wait in waits} == {"throttled"}


async def test_it_starts_without_redis(server):
    """And finds it when it comes."""
    await server.kill()
    async with process_on(server.url) as process:
        assert await process.admit("a") is None
        await server.start()

        async def found():
            return not process.gate._store.away  # noqa: SLF001

        await until(found, what="Redis to be found")
