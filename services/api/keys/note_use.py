"""When a key was last used: noted at once, written about once a minute, outside every request's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog

from services.api.connections import begin
from services.api.keys import store
from shared.database import Pool
from shared.errors import InstaDistroError
from shared.lifecycle import repeat

WRITE_EVERY_S = 60.0
# Of keys beyond these it is not known until the next writing.
_KEYS_MAX = 10_000

log = structlog.get_logger()


class KeyUses:
    """The keys that were used since the last writing."""

    def __init__(self, pool: Pool, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Begin with none. `clock` gives the time of day."""
        self._pool = pool
        self._clock = clock
        self._used: dict[str, datetime] = {}

    def note(self, key_id: str) -> None:
        """A key was used now."""
        if key_id in self._used or len(self._used) < _KEYS_MAX:
            self._used[key_id] = self._clock()

    async def write(self) -> None:
        """Write down what was noted.

        Raises:
            NotReadyError: the database does not answer. What was noted is kept; write again.
        """
        used, self._used = self._used, {}
        if not used:
            return
        try:
            async with begin(self._pool) as tx:
                await store.write_uses(tx, used)
        except BaseException:
            self._used = used | self._used
            raise


@asynccontextmanager
async def noting_uses(pool: Pool, *, every_s: float = WRITE_EVERY_S) -> AsyncIterator[KeyUses]:
    """The uses of keys are written while the context lasts, and once more at its end."""
    uses, stop = KeyUses(pool), asyncio.Event()
    writing = asyncio.create_task(repeat(uses.write, name="key_uses", every_s=every_s, stop=stop))
    try:
        yield uses
    finally:
        stop.set()
        await writing
        try:
            await uses.write()
        except InstaDistroError as error:
            log.warning("key_uses.lost", error=str(error))
