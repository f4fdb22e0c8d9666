"""Publishing with confirms: what this module reports as sent, the broker has."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog
from aio_pika.exceptions import DeliveryError, PublishError

from shared import metrics
from shared.errors import InstaDistroError
from shared.jobs import topology
from shared.jobs.broker import BROKER_ERRORS, Session, open_session
from shared.jobs.depths import count_messages
from shared.jobs.outlet import Parcel, write
from shared.jobs.types import JobPriority
from shared.outbox import Outgoing

_PUBLISH_DEADLINE_S = 5.0
# Unconfirmed messages at a time: some hundreds keep the line busy; beyond about 1,000 the client walks long lists.
_CONFIRM_WINDOW = 512
_WRITTEN_TOGETHER = 64

log = structlog.get_logger()


class NotSentError(InstaDistroError):
    """The broker did not confirm messages in time. It may have them nevertheless; send those in `unsent` again."""

    def __init__(self, message: str, *, unsent: Sequence[int] = (0,)) -> None:
        super().__init__(message)
        self.unsent = tuple(unsent)  # their places in what was given to be sent


@dataclass(frozen=True, kw_only=True)
class _Open:
    session: Session
    stack: AsyncExitStack


class Sender:
    """A connection for publishing only, opened when first needed and again after it was lost."""

    def __init__(self, urls: Sequence[str], *, name: str, on_missing: topology.OnMissing | None = None) -> None:
        """Keep the addresses; nothing is opened yet.

        Args:
            urls: brokers, tried in turn.
            name: of the connection.
            on_missing: told which work queues the broker had lost when a connection is made.
        """
        self._urls = urls
        self._name = name
        self._on_missing = on_missing
        self._open: _Open | None = None
        self._opening = asyncio.Lock()
        self._complained = False
        self._window = asyncio.Semaphore(_CONFIRM_WINDOW)
        self._entering = asyncio.Lock()

    async def ready(self) -> None:
        """Raise unless the broker answers within 5 s; also for a readiness probe."""
        async with asyncio.timeout(_PUBLISH_DEADLINE_S):
            await self._opened()

    async def publish(self, parcel: Parcel) -> None:
        """Publish one message and wait for the broker's confirm.

        Raises:
            NotSentError: no confirm within 5 s, or no queue takes the message. Nothing is lost if the caller keeps its
                own record and tries again.
        """
        await self.publish_many([parcel])

    async def publish_many(self, parcels: Sequence[Parcel]) -> None:
        """Publish messages, many on the way at a time, and wait for all confirms.

        Raises:
            NotSentError: some were not confirmed; its `unsent` says which.
        """
        failures = await self._send(parcels)
        if failures:
            first = failures[min(failures)]
            raise NotSentError(
                f"{len(failures)} of {len(parcels)} messages were not confirmed,"
                f" among them {parcels[min(failures)].routing_key}: {str(first) or type(first).__name__}",
                unsent=sorted(failures),
            ) from first

    async def send_rows(self, rows: Sequence[Outgoing]) -> set[int]:
        """Publish outbox rows; answers the ids of those that were confirmed."""
        if not await self.reachable():
            return set()
        failures = await self._send([_parcel(row) for row in rows])
        if failures:
            log.warning("sender.unconfirmed", rows=len(failures), first=str(failures[min(failures)]))
        return {row.id for index, row in enumerate(rows) if index not in failures}

    async def reachable(self) -> bool:
        """Whether the broker answers; connects if need be, and complains once an outage."""
        try:
            await self.ready()
        except (*BROKER_ERRORS, InstaDistroError) as error:
            if not self._complained:
                log.warning("sender.no_broker", error=str(error) or type(error).__name__)
            self._complained = True
            return False
        self._complained = False
        return True

    async def depths(self) -> dict[str, int]:
        """Messages that wait in each of our queues, by name.

        Raises:
            NotSentError: the broker does not answer.
        """
        try:
            async with asyncio.timeout(_PUBLISH_DEADLINE_S):
                opened = await self._opened()
                channel = await opened.session.connection.channel()
                async with channel:
                    return await count_messages(channel)
        except (*BROKER_ERRORS, InstaDistroError) as error:
            raise NotSentError(f"queues could not be counted: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connection; the sender may be used again."""
        opened, self._open = self._open, None
        if opened is not None:
            await opened.stack.aclose()

    async def _send(self, parcels: Sequence[Parcel]) -> dict[int, BaseException]:
        """Write all, then wait for the broker's word on each. Answers what failed, by place."""
        deadline = asyncio.timeout(_PUBLISH_DEADLINE_S)
        if not parcels:
            return {}
        confirms: list[asyncio.Future[object]] = []
        ended: BaseException = NotSentError("no confirm came in time")
        session: Session | None = None
        try:
            async with deadline:
                session = (await self._opened()).session
                for start in range(0, len(parcels), _WRITTEN_TOGETHER):
                    some = parcels[start : start + _WRITTEN_TOGETHER]
                    await self._make_room(len(some))
                    confirms += self._counted(await write(session, some))
                    deadline.reschedule(asyncio.get_running_loop().time() + _PUBLISH_DEADLINE_S)
                await asyncio.wait(confirms)
        except (*BROKER_ERRORS, InstaDistroError) as error:
            ended = error
            if session is not None:
                session.lost.set()  # what waits behind this would wait as long
        return self._judge(session, len(parcels), confirms, ended)

    async def _make_room(self, count: int) -> None:
        # One caller after the other, or each might hold a part of the window and wait for the rest.
        async with self._entering:
            for _ in range(count):
                await self._window.acquire()

    def _counted(self, confirms: list[asyncio.Future[object]]) -> list[asyncio.Future[object]]:
        for confirm in confirms:
            confirm.add_done_callback(lambda _: self._window.release())
        return confirms

    def _judge(
        self, session: Session | None, count: int, confirms: list[asyncio.Future[object]], ended: BaseException
    ) -> dict[int, BaseException]:
        failures: dict[int, BaseException] = dict.fromkeys(range(len(confirms), count), ended)
        results = Counter({"failed": len(failures)})
        for index, confirm in enumerate(confirms):
            if not confirm.done():
                confirm.cancel()
                failures[index] = ended
                results["timeout"] += 1
            elif confirm.cancelled():
                failures[index] = ended
                results["failed"] += 1
            else:
                error = confirm.exception()
                results[_result(error)] += 1
                if error is not None:
                    failures[index] = error
        if results["returned"] and session is not None:
            # No queue takes it: one of ours may have been deleted. The next session declares it again.
            session.lost.set()
        for result, times in results.items():
            metrics.broker_publishes_total.labels(result).inc(times)
        return failures

    async def _opened(self) -> _Open:
        if self._open is not None and not self._open.session.lost.is_set():
            return self._open
        async with self._opening:
            if self._open is not None and not self._open.session.lost.is_set():
                return self._open
            if self._open is not None:
                metrics.broker_reconnects_total.labels(role=self._name).inc()
                with contextlib.suppress(*BROKER_ERRORS):
                    await self.close()
            self._open = await self._connect()
            return self._open

    async def _connect(self) -> _Open:
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(open_session(self._urls, name=self._name))
            await topology.restore_topology(session.connection, on_missing=self._on_missing)
            return _Open(session=session, stack=stack.pop_all())


def _result(error: BaseException | None) -> str:
    match error:
        case None:
            return "confirmed"
        case PublishError():
            return "returned"
        case DeliveryError():
            return "refused"
        case _:
            return "failed"


def _parcel(row: Outgoing) -> Parcel:
    return Parcel(
        exchange=row.exchange,
        routing_key=row.routing_key,
        body=row.body,
        # How long it waited for its turn is counted from the time it was due.
        headers={**row.headers, "x-due": str(int(row.due_at.timestamp() * 1000))},
        priority=JobPriority(row.priority),
    )
