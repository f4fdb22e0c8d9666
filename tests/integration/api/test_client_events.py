"""The Python client follows events: each once, whatever breaks."""

from __future__ import annotations

import asyncio

import pytest

from instadistro_client import EventsLostError, InstaDistro, InvalidRequestError, NoAnswerError, RetryPolicy, events
from tests.proxy import proxy_to
from tests.streams import happen

LONG_AGO = "1-1-1"


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(events, "_AGAIN_S", 0.02)


@pytest.fixture
async def api(alice):
    async with InstaDistro(alice.url, api_key=alice.api_key) as api:
        yield api


async def following(stream, count):
    async with asyncio.timeout(20):
        return [(await anext(stream)).subject for _ in range(count)]


async def test_what_happens_after_the_beginning_is_told(gateway, alice, api):
    """Entering the stream is enough: what happens before the first event is asked for is not missed."""
    async with api.events(types=["publication.*"]) as stream:
        await happen(gateway, alice, "media.reachable")
        [failed] = await happen(gateway, alice, "publication.failed", reason="quota")

        event = await anext(stream)

    assert (event.type, event.subject, event.data) == ("publication.failed", failed, {"reason": "quota"})
    assert event.place == stream.place


async def test_a_broken_connection_loses_nothing_and_doubles_nothing(gateway, alice):
    """However often it breaks, between events and before the first, each comes once and in order."""
    port = int(alice.url.rpartition(":")[2])
    async with (
        proxy_to("127.0.0.1", port) as line,
        InstaDistro(f"http://127.0.0.1:{line.port}", api_key=alice.api_key) as api,
        api.events() as stream,
    ):
        happened, told = [], []
        for _ in range(5):
            line.cut()
            happened += await happen(gateway, alice, *["publication.published"] * 7)
            told += await following(stream, 4)
        told += await following(stream, 15)

    assert told == happened


async def test_a_follower_goes_on_where_another_ended(gateway, alice, api):
    """The place of the last event is enough for the next process."""
    async with api.events() as stream:
        happened = await happen(gateway, alice, "media.reachable", "media.unreachable", "media.reachable")
        first = await anext(stream)

    async with api.events(after=first.place) as stream:
        assert await following(stream, 2) == happened[1:]


async def test_a_place_that_is_too_old_is_told(gateway, alice, api):
    """What was missed is not passed over in silence; from the place that is told it goes on."""
    with pytest.raises(EventsLostError) as lost:
        async with api.events(after=LONG_AGO):
            pass

    async with api.events(after=lost.value.place) as stream:
        happened = await happen(gateway, alice, "media.reachable")
        assert await following(stream, 1) == happened


async def test_a_stream_that_cannot_be_is_refused(alice, api):
    """A wrong wish is told at once, and a gateway that is away when the policy's time is over."""
    with pytest.raises(InvalidRequestError, match="imploded"):
        async with api.events(types=["publication.imploded"]):
            pass
    impatient = RetryPolicy(deadline_s=0.1)
    async with InstaDistro("http://127.0.0.1:1", api_key=alice.api_key, policy=impatient) as nobody:
        with pytest.raises(NoAnswerError):
            async with nobody.events():
                pass
