"""Asking a dependency whether it answers, within a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

#: Returns if a dependency answers, raises if not.
Check: TypeAlias = Callable[[], Awaitable[object]]

_DEADLINE_S = 2.0


async def ask(check: Check) -> str | None:
    """What is wrong with a dependency; None if it answers within 2 s."""
    try:
        async with asyncio.timeout(_DEADLINE_S):
            await check()
    except Exception as error:  # noqa: BLE001 - whatever a dependency raises, the answer is that it failed
        return f"{type(error).__name__}: {error}"[:200]
    return None
