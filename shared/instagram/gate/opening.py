"""The gate as a service opens it: with its connection and its background, closed with the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shared.instagram.gate.gate import PlatformGate
from shared.instagram.gate.store import Store


@asynccontextmanager
async def open_gate(
    redis_url: str, *, on_healed: Callable[[], Awaitable[object]] | None = None
) -> AsyncIterator[PlatformGate]:
    """A gate for as long as the context lasts. Redis may be away, now or later: the gate then knows what it saw itself.

    Args:
        redis_url: where the processes meet.
        on_healed: called when an outage of the platform is seen to be over, in every process that sees it; what it
            does must bear being done twice.
    """
    store = Store(redis_url)
    await store.greet()
    gate = PlatformGate(store, on_healed=on_healed)
    background = asyncio.create_task(gate.run())
    try:
        yield gate
    finally:
        background.cancel()
        await asyncio.wait({background})
        await gate.close()
        await store.close()
