"""The tenants' events as they come: one look into the table for all streams of a tenant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from services.api.connections import connect
from services.api.events.frames import Frame, event_frame
from services.api.events.subscription import Ending, Subscription
from services.api.http import ProblemError
from shared import metrics
from shared.database import Pool
from shared.lifecycle import repeat
from shared.outbox import Position, current_position, read_events

_BATCH = 200
# Announcements wake us; a look without one finds what the relay has not announced, or the broker dropped.
_POLL_ANNOUNCED_S = 5.0
_POLL_UNANNOUNCED_S = 1.0
_UNSETTLED_S = 0.05
_STREAMS_MAX = 1_000
_STREAMS_OF_TENANT_MAX = 50
_RETRY_AFTER = {"Retry-After": "5"}


class _Tenant:
    """Those who read one tenant's events, and how far they were offered to those who are live."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.subscriptions: set[Subscription] = set()
        self.wake = asyncio.Event()
        self.stop = asyncio.Event()


class EventFeed:
    """Streams' way to events, in this process."""

    def __init__(self, pool: Pool) -> None:
        """Begin without a stream; nothing is read before there is one."""
        self._pool = pool
        self._tenants: dict[UUID, _Tenant] = {}
        self._reading: set[asyncio.Task[None]] = set()
        self._streams = 0
        self._stopping = False
        self.announced = False  # events are announced to this process

    def wake(self, user_id: UUID) -> None:
        """Something happened to this tenant."""
        if (tenant := self._tenants.get(user_id)) is not None:
            tenant.wake.set()

    def wake_all(self) -> None:
        """Something may have happened to any."""
        for tenant in self._tenants.values():
            tenant.wake.set()

    def stop(self) -> None:
        """End every stream at once, and begin none any more."""
        self._stopping = True
        for tenant in self._tenants.values():
            for subscription in tenant.subscriptions:
                subscription.end(Ending.STOPPING)

    async def close(self) -> None:
        """Return once nothing reads the table any more. The streams must have ended."""
        for tenant in self._tenants.values():
            tenant.stop.set()
        await asyncio.gather(*self._reading)

    async def now(self) -> Position:
        """The end of what has happened."""
        async with connect(self._pool) as connection:
            return await current_position(connection)

    @asynccontextmanager
    async def subscribed(self, subscription: Subscription, *, user_id: UUID, now: Position) -> AsyncIterator[None]:
        """Let a stream read, as long as the context lasts.

        Args:
            subscription: the stream's.
            user_id: the tenant.
            now: from `now()`, just before.

        Raises:
            ProblemError: there are as many streams as there may be, of the tenant (`rate_limited`) or of this process
                (`not_ready`), or the gateway stops.
        """
        self._require_room(user_id)
        tenant = self._tenants.get(user_id)
        if tenant is None:
            tenant = self._tenants[user_id] = _Tenant(now)
            reading = asyncio.create_task(self._read_on(tenant, user_id))
            self._reading.add(reading)
            reading.add_done_callback(self._reading.discard)
        tenant.subscriptions.add(subscription)
        self._streams += 1
        metrics.event_streams.inc()
        try:
            yield
        finally:
            tenant.subscriptions.discard(subscription)
            self._streams -= 1
            metrics.event_streams.dec()
            if not tenant.subscriptions:
                del self._tenants[user_id]
                tenant.stop.set()

    async def next(self, subscription: Subscription, *, user_id: UUID, wait_s: float) -> list[Frame]:
        """What comes next for a stream; nothing if nothing came in time, or if the stream is to end."""
        tenant = self._tenants[user_id]
        if not subscription.live:
            return await self._catch_up(subscription, tenant, user_id)
        await subscription.wait(wait_s)
        return subscription.take(up_to=tenant.position) if subscription.live else []

    async def _catch_up(self, subscription: Subscription, tenant: _Tenant, user_id: UUID) -> list[Frame]:
        offered = tenant.position
        async with connect(self._pool) as connection:
            batch = await read_events(connection, user_id=user_id, after=subscription.position, limit=_BATCH)
        frames = [event_frame(event) for event in batch.events]
        if frames:
            subscription.position = max(subscription.position, frames[-1].position)
        if not batch.full:
            # All that was offered to others by then was settled by then, and so was in this look.
            subscription.position = max(subscription.position, offered)
        if subscription.position >= tenant.position:
            subscription.live = True
        return subscription.wanted(frames)

    async def _read_on(self, tenant: _Tenant, user_id: UUID) -> None:
        async def read_once() -> float | None:
            async with connect(self._pool) as connection:
                batch = await read_events(connection, user_id=user_id, after=tenant.position, limit=_BATCH)
            if batch.events:
                tenant.position = batch.events[-1].position
                frames = [event_frame(event) for event in batch.events]
                for subscription in tenant.subscriptions:
                    if subscription.live:
                        subscription.offer(frames)
            if batch.full:
                return 0.0
            if batch.unsettled:
                return _UNSETTLED_S
            return _POLL_ANNOUNCED_S if self.announced else _POLL_UNANNOUNCED_S

        await repeat(read_once, name="events", every_s=_POLL_ANNOUNCED_S, stop=tenant.stop, wake=tenant.wake)

    def _require_room(self, user_id: UUID) -> None:
        if self._stopping or self._streams >= _STREAMS_MAX:
            raise ProblemError("not_ready", "There is no room for another stream here now.", headers=_RETRY_AFTER)
        tenant = self._tenants.get(user_id)
        if tenant is not None and len(tenant.subscriptions) >= _STREAMS_OF_TENANT_MAX:
            detail = f"At most {_STREAMS_OF_TENANT_MAX} streams of events may be open at a time."
            raise ProblemError("rate_limited", detail, headers=_RETRY_AFTER)
