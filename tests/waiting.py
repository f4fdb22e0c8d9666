"""Waiting for another process: ask again until it is so, with a deadline that names what was waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_ASK_AGAIN_S = 0.02


async def until(question: Callable[[], Awaitable[T]], *, what: str, deadline_s: float = 30.0) -> T:
    """The first answer that is true in Python's sense; AssertionError with `what` if none comes in time."""
    try:
        async with asyncio.timeout(deadline_s):
            while not (answer := await question()):  # noqa: ASYNC110 - the other side is another process
                await asyncio.sleep(_ASK_AGAIN_S)
    except TimeoutError:
        raise AssertionError(f"waited {deadline_s:g} s in vain: {what}") from None
    return answer
