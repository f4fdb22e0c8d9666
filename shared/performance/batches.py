"""Much work in small portions, so that neither memory nor what it is done with is flooded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def process_batch(
    items: Iterable[T] | AsyncIterable[T],
    size: int,
    handler: Callable[[list[T]], Awaitable[object]],
    delay_ms: float = 0,
) -> int:
    """Hand items to `handler` batch by batch, in their order, one batch at a time; returns how many items there were.

    Between two batches other tasks get their turn and a cancellation takes effect. Items are drawn as they are needed,
    so an endless or huge source costs no more memory than one batch.

    Args:
        items: anything that can be iterated, plainly or by `async for`.
        size: of a batch, at least 1; the last may be smaller.
        handler: gets a list that is its own.
        delay_ms: pause between two batches, in milliseconds, to leave room for others.

    Raises:
        ValueError: `size` or `delay_ms` makes no sense. Correct the call.
        Exception: whatever the handler raised, with a note that says in which batch. Batches before it are done, those
            behind it were not begun: begin again there, or at the start if the handler may see an item twice.
    """
    if size < 1 or delay_ms < 0:
        raise ValueError(f"A batch has at least 1 item and a delay at least 0 ms, not {size} and {delay_ms}.")
    done = 0
    async with aclosing(_batches(items, size)) as batches:
        async for batch in batches:
            if done:
                await asyncio.sleep(delay_ms / 1000)
            count = len(batch)  # now, for the handler may empty its list
            try:
                await handler(batch)
            except Exception as error:
                number = done // size + 1
                error.add_note(f"in batch {number}, items {done + 1} to {done + count}; the {done} before are done")
                raise
            done += count
    return done


async def _batches(items: Iterable[T] | AsyncIterable[T], size: int) -> AsyncGenerator[list[T], None]:
    batch: list[T] = []
    async for item in items if isinstance(items, AsyncIterable) else _each(items):
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


async def _each(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item
