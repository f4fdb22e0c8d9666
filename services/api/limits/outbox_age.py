"""Nothing more is accepted for the outbox while what was accepted before is not sent."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

import structlog

from services.api.connections import connect
from services.api.http.problems import ProblemError
from shared.cache import SingleFlight
from shared.database import Pool
from shared.errors import NotReadyError
from shared.outbox import read_backlog

#: How long an age that was read is believed, and how long a request waits for one.
KNOWN_S = 5.0
_READ_S = 1.0
_RETRY_AFTER = {"Retry-After": "30"}

log = structlog.get_logger()


class OutboxAge:
    """The age of the oldest message that is due and not sent, read at most every 5 s, however many ask."""

    def __init__(self, pool: Pool, *, most_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Wire it.

        Args:
            pool: the database.
            most_s: the age from which on nothing more is accepted; 0: everything always is.
            clock: monotonic seconds.
        """
        self._pool = pool
        self._most_s = most_s
        self._clock = clock
        self._reads = SingleFlight[None]()
        self._age_s = 0.0
        self._known_until = -math.inf

    async def require_young(self) -> None:
        """Go on only if what was accepted before is being sent. An age that nobody knows stops nothing.

        Raises:
            ProblemError: `backlog_too_old`.
        """
        if not self._most_s:
            return
        if self._clock() >= self._known_until:
            await self._learn()
        if self._clock() < self._known_until and self._age_s > self._most_s:
            detail = f"What was accepted before has waited {self._age_s:.0f} s to be sent. Try again later."
            raise ProblemError("backlog_too_old", detail, headers=_RETRY_AFTER)

    async def close(self) -> None:
        """End a read that is under way."""
        await self._reads.close()

    async def _learn(self) -> None:
        try:
            async with asyncio.timeout(_READ_S):
                await self._reads.share("age", self._read)
        except TimeoutError:
            log.warning("outbox.age_unknown", error=f"not read within {_READ_S:g} s")

    async def _read(self) -> None:
        asked_at = self._clock()
        try:
            async with connect(self._pool) as connection:
                backlog = await read_backlog(connection)
        except NotReadyError as error:
            log.warning("outbox.age_unknown", error=str(error))
            return
        self._age_s = backlog.oldest_s or 0.0
        self._known_until = asked_at + KNOWN_S
