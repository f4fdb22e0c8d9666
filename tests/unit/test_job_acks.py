"""Acknowledging with few frames, and never more than was settled."""

import asyncio
from types import SimpleNamespace

import pytest

from shared.jobs.acks import Acks


class Channel:
    """Keeps what would be written, and knows what the broker still holds for us, as the broker would."""

    def __init__(self):
        self.frames = []
        self.unacked = []
        self.full = False
        self.waited_for = asyncio.Event()

    async def basic_ack(self, tag, *, multiple=False, wait=True):
        del wait
        if self.full:
            self.waited_for.set()
            await asyncio.Event().wait()
        assert tag in self.unacked, "the broker closes the channel on an unknown tag"
        self.frames.append(("ack", tag, multiple))
        self.unacked = [other for other in self.unacked if other != tag and not (multiple and other < tag)]

    async def basic_nack(self, tag, *, requeue, wait=True):
        del wait
        assert requeue
        self.frames.append(("nack", tag, False))
        self.unacked.remove(tag)


class Line:
    """Deliveries in hand, on a channel."""

    def __init__(self):
        self.channel = Channel()
        self.lost = asyncio.Event()
        self.acks = Acks(SimpleNamespace(underlay=self.channel, lost=self.lost))  # type: ignore[arg-type]

    def take(self, count):
        for _ in range(count):
            tag = len(self.channel.frames) + len(self.channel.unacked) + 1
            self.channel.unacked.append(tag)
            self.acks.took(tag)


@pytest.fixture
async def line():
    """Eight deliveries in hand."""
    line = Line()
    line.take(8)
    return line


async def test_a_settled_prefix_is_one_frame(line):
    """All up to the first that is still in hand."""
    for tag in (3, 1, 2):
        line.acks.settle(tag)

    await line.acks.finish()

    assert line.channel.frames == [("ack", 3, True)]
    assert line.channel.unacked == [4, 5, 6, 7, 8]


async def test_what_is_settled_beyond_a_gap_is_acknowledged_by_itself(line):
    """One long job does not keep the short ones behind it waiting, and is not covered by them."""
    for tag in (1, 3, 4):
        line.acks.settle(tag)

    await line.acks.finish()

    assert line.channel.frames == [("ack", 1, True), ("ack", 3, False), ("ack", 4, False)]
    assert line.channel.unacked == [2, 5, 6, 7, 8]


async def test_a_prefix_passes_over_what_was_acknowledged_before(line):
    """Tags that are gone are no gap."""
    line.acks.settle(2)
    await line.acks.finish()
    for tag in (1, 3):
        line.acks.settle(tag)

    await line.acks.finish()

    assert line.channel.frames == [("ack", 2, False), ("ack", 3, True)]
    assert line.channel.unacked == [4, 5, 6, 7, 8]


async def test_what_is_given_back_is_never_covered_by_a_later_prefix(line):
    """The refusal is written before the tag counts as gone."""
    line.acks.settle(1)
    line.acks.settle(3)
    await line.acks.give_back(2)

    await line.acks.finish()

    assert line.channel.frames == [("nack", 2, False), ("ack", 3, True)]


async def test_what_is_settled_is_not_given_back(line):
    """Whatever fails after a job was settled must not bring it again."""
    line.acks.settle(1)

    await line.acks.give_back(1)
    await line.acks.finish()
    await line.acks.give_back(1)

    assert line.channel.frames == [("ack", 1, True)]
    assert not line.acks.in_hand(1)


async def test_a_stop_while_acknowledgements_are_on_their_way_forgets_none(line):
    """A full line keeps them waiting; what was not written is left to the end."""
    line.channel.full = True
    sending = asyncio.create_task(line.acks.run())
    for tag in (1, 2, 4, 5, 6, 7, 8):
        line.acks.settle(tag)
    await line.channel.waited_for.wait()

    sending.cancel()
    line.channel.full = False
    await line.acks.finish()

    assert line.channel.unacked == [3]


async def test_what_one_turn_of_the_loop_settles_is_one_frame(line):
    """Without a timer: the broker learns of it in the next turn."""
    sending = asyncio.create_task(line.acks.run())
    await asyncio.sleep(0)

    for tag in (1, 2, 3):
        line.acks.settle(tag)
    for _ in range(3):
        await asyncio.sleep(0)

    sending.cancel()
    assert line.channel.frames == [("ack", 3, True)]


async def test_nothing_is_acknowledged_on_a_lost_session(line):
    """Its tags mean nothing to another; the jobs come again."""
    line.lost.set()

    line.acks.settle(1)
    await line.acks.finish()

    assert line.channel.frames == []
    assert not line.acks.alive
