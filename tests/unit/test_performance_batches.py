from __future__ import annotations

import asyncio
import itertools

import pytest

from shared.performance import process_batch


async def drawn(items):
    for item in items:
        yield item


def collector():
    batches: list[list[int]] = []

    async def handle(batch):
        batches.append(batch)

    return batches, handle


@pytest.mark.parametrize("source", [list, iter, drawn], ids=["list", "iterator", "async-iterable"])
@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, []), (1, [[0]]), (4, [[0, 1], [2, 3]]), (5, [[0, 1], [2, 3], [4]])],
    ids=["none", "one", "even", "odd"],
)
async def test_every_item_is_handled_once_in_order(source, count, expected):
    """Whatever can be iterated is cut into batches of the size asked for; the last one may be smaller."""
    batches, handle = collector()

    done = await process_batch(source(range(count)), 2, handle)

    assert batches == expected
    assert done == count


async def test_only_one_batch_is_drawn_at_a_time():
    """An endless source is fine: nothing is drawn ahead of the batch in hand."""
    source = itertools.count()

    async def stop_at_the_third(batch):
        if batch == [20, 21, 22, 23, 24, 25, 26, 27, 28, 29]:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        await process_batch(source, 10, stop_at_the_third)

    assert next(source) == 30


async def test_a_failure_says_in_which_batch():
    """The handler's own error arrives, noting what is done; later batches are not begun."""
    batches: list[list[int]] = []

    async def fail_at_the_third(batch):
        batches.append(list(batch))
        batch.clear()  # its list is its own
        if len(batches) == 3:
            raise KeyError("account")

    with pytest.raises(KeyError, match="account") as failure:
        await process_batch(range(10), 3, fail_at_the_third)

    assert failure.value.__notes__ == ["in batch 3, items 7 to 9; the 6 before are done"]
    assert batches == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


async def test_it_can_be_cancelled_between_batches():
    """A handler that never waits holds nobody up: others get their turn, and a cancellation takes effect."""
    handled, third = [], asyncio.Event()

    async def handle(batch):
        handled.append(batch)
        if len(handled) == 3:
            third.set()

    running = asyncio.create_task(process_batch(itertools.count(), 10, handle))
    await third.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert 3 <= len(handled) <= 5


async def test_the_delay_lies_between_batches_only(monkeypatch):
    """Neither before the first batch nor after the last one is any time lost."""
    steps: list[object] = []

    async def sleep(seconds):
        steps.append(seconds)

    async def handle(batch):
        steps.append(batch)

    monkeypatch.setattr("shared.performance.batches.asyncio.sleep", sleep)
    await process_batch(range(3), 1, handle, 100)

    assert steps == [[0], 0.1, [1], 0.1, [2]]


@pytest.mark.parametrize(("size", "delay_ms"), [(0, 0), (-1, 0), (1, -1)])
async def test_a_call_that_makes_no_sense_is_refused(size, delay_ms):
    """Nothing is handled when the size or the delay is wrong."""
    batches, handle = collector()

    with pytest.raises(ValueError, match="at least"):
        await process_batch([1, 2], size, handle, delay_ms)

    assert batches == []
