"""How slowly a body may come: slow lines have time in proportion, stalled ones do not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from services.api.http import ProblemError

T = TypeVar("T")

_STALL_S = 30.0
_HEAD_START_S = 60.0
#: Of the whole body on average; 300 MiB have 80 minutes.
_RATE_MIN = 64 * 1024  # bytes per second


class Pace:
    """The time that one body may still take."""

    def __init__(self) -> None:
        """Begin now."""
        self._end = time.monotonic() + _HEAD_START_S

    async def read(self, chunk: Awaitable[bytes]) -> bytes:
        """The next piece, which gives time for more. Raises as `wait`."""
        received = await self.wait(chunk)
        self._end += len(received) / _RATE_MIN
        return received

    async def wait(self, step: Awaitable[T]) -> T:
        """The outcome of a step in receiving.

        Raises:
            ProblemError: it did not come in time (`request_timeout`).
        """
        try:
            async with asyncio.timeout(min(_STALL_S, self._end - time.monotonic())):
                return await step
        except TimeoutError as error:
            detail = f"The file came too slowly: nothing for {_STALL_S:g} s, or less than {_RATE_MIN // 1024} KiB/s."
            raise ProblemError("request_timeout", detail) from error
