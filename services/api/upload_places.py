"""How many large bodies are worked on at once, in all and per tenant, for one's slow uploads must not stop all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

from services.api.http import ProblemError

_IN_ALL = 32
_PER_TENANT = 4
_WAIT_S = 10.0
_RETRY_AFTER_S = "5"


class UploadPlaces:
    """Places for large bodies. A body that waits is not read, and so costs nothing but its connection."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(_IN_ALL)
        # A tenant's own places live as long as somebody uses or awaits them.
        self._own: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def take(self, user_id: UUID) -> AsyncIterator[None]:
        """A place for one body of this tenant.

        Raises:
            ProblemError: none came free in time (`not_ready`); the client tries again later.
        """
        own = self._own.get(user_id)
        if own is None:
            own = self._own[user_id] = asyncio.Semaphore(_PER_TENANT)
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(_WAIT_S):
                    await held.enter_async_context(own)
                    await held.enter_async_context(self._all)
            except TimeoutError as error:
                detail = "Too many large bodies are being received at this moment; try again in a few seconds."
                raise ProblemError("not_ready", detail, headers={"Retry-After": _RETRY_AFTER_S}) from error
            yield
