"""Publishing with confirms: what this module reports as sent, the broker has."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog
from aio_pika.exceptions import DeliveryError, PublishError

from shared import metrics
from shared.errors import InstaDistroError, NotReadyError
from shared.jobs import topology
from shared.jobs.broker import BROKER_ERRORS, CONNECT_TIMEOUT_S, Session, open_session
from shared.jobs.depths import count_messages
from shared.jobs.outlet import Parcel, write
from shared.jobs.types import JobPriority
from shared.outbox import Outgoing
from shared.trace import trace_id_of

_PUBLISH_DEADLINE_S = 5.0
_TOPOLOGY_DEADLINE_S = 30.0
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
    # Of the session, not of the sender: what a lost one never answered must not narrow the next.
    window: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_CONFIRM_WINDOW))
    entering: asyncio.Lock = field(default_factory=asyncio.Lock)


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

    async def ready(self) -> None:
        """Raise unless there is a session with the broker, or one can be made; also for a readiness probe."""
        await self._opened()

    async def publish(self, parcel: Parcel) -> None:
        """Publish one message and wait for the broker's confirm.

        Raises:
            NotSentError: no session, no confirm within 5 s, or no queue takes the message. Nothing is lost if the
                caller keeps its own record and tries again.
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
        sent = [row for index, row in enumerate(rows) if index not in failures]
        if log.is_enabled_for(logging.DEBUG):  # a line a row would cost a relay more than the rows
            for row in sent:
                _tell_sent(row)
        return {row.id for row in sent}

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
            opened = await self._opened()
            async with asyncio.timeout(_PUBLISH_DEADLINE_S):
                channel = await opened.session.connection.channel()
                async with channel:
                    return await count_messages(channel)
        except (*BROKER_ERRORS, InstaDistroError) as error:
            raise NotSentError(f"queues could not be counted: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connection; the sender may be used again."""
        opened, self._open = self._open, None
        if opened is not None:
            with contextlib.suppress(Exception):  # it is of no more use, whatever its end was like
                await opened.stack.aclose()

    async def _send(self, parcels: Sequence[Parcel]) -> dict[int, BaseException]:
        """Write all, then wait for the broker's word on each. Answers what failed, by place."""
        if not parcels:
            return {}
        try:
            opened = await self._opened()
        except (*BROKER_ERRORS, InstaDistroError) as error:
            metrics.broker_publishes_total.labels("failed").inc(len(parcels))
            return dict.fromkeys(range(len(parcels)), error)
        confirms: list[asyncio.Future[object]] = []
        ended: Exception = NotSentError("no confirm came in time")
        try:
            async with asyncio.timeout(_PUBLISH_DEADLINE_S) as deadline:
                for start in range(0, len(parcels), _WRITTEN_TOGETHER):
                    confirms += await _write(opened, parcels[start : start + _WRITTEN_TOGETHER])
                    deadline.reschedule(asyncio.get_running_loop().time() + _PUBLISH_DEADLINE_S)
                await asyncio.wait(confirms)
        except Exception as error:  # noqa: BLE001 - one that cannot be encoded must not stop those beside it either
            ended = error
            opened.session.lost.set()  # what waits behind this would wait as long
        return _judge(len(parcels), confirms, ended=ended, session=opened.session)

    async def _opened(self) -> _Open:
        if self._open is not None and not self._open.session.lost.is_set():
            return self._open
        async with self._opening:
            if self._open is not None and not self._open.session.lost.is_set():
                return self._open
            if self._open is not None:
                metrics.broker_reconnects_total.labels(role=self._name).inc()
                await self.close()
            self._open = await self._connect()
            return self._open

    async def _connect(self) -> _Open:
        deadline_s = len(self._urls) * CONNECT_TIMEOUT_S + _TOPOLOGY_DEADLINE_S
        try:
            async with asyncio.timeout(deadline_s), AsyncExitStack() as stack:
                session = await stack.enter_async_context(open_session(self._urls, name=self._name))
                await topology.restore_topology(session.connection, on_missing=self._on_missing)
                return _Open(session=session, stack=stack.pop_all())
        except InstaDistroError:
            raise
        except Exception as error:
            # Of a line that breaks at this moment the client library tells in many ways, a bare Exception among them.
            raise NotReadyError(f"no session with RabbitMQ: {str(error) or type(error).__name__}") from error


async def _write(opened: _Open, parcels: Sequence[Parcel]) -> list[asyncio.Future[object]]:
    """Write messages once the window has room for them; each confirm makes room again."""
    # One caller after the other, or each might hold a part of the window and wait for the rest.
    async with opened.entering:
        taken = 0
        try:
            for _ in parcels:
                await opened.window.acquire()
                taken += 1
            confirms = await write(opened.session, parcels)
        except BaseException:
            for _ in range(taken):
                opened.window.release()
            raise
    for confirm in confirms:
        confirm.add_done_callback(lambda _: opened.window.release())
    return confirms


def _judge(
    count: int, confirms: Sequence[asyncio.Future[object]], *, ended: Exception, session: Session
) -> dict[int, BaseException]:
    """What failed, by place; what was not written, or not answered, for the reason that ended it."""
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
    if results["returned"]:
        # No queue takes it: one of ours may have been deleted. The next session declares it again.
        session.lost.set()
    for result, times in results.items():
        metrics.broker_publishes_total.labels(result).inc(times)
    return failures


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


def _tell_sent(row: Outgoing) -> None:
    """The relay's line of one row, found by the request and the trace that it was written in."""
    header = row.headers.get("traceparent")
    log.debug(
        "outbox.sent",
        type=row.type,
        subject=row.headers.get("x-subject"),
        job_id=row.headers.get("x-job-id"),
        event_id=row.headers.get("x-event-id"),
        request_id=row.headers.get("x-request-id"),
        trace_id=None if header is None else trace_id_of(header),
        due_at=row.due_at.isoformat(timespec="milliseconds"),
    )


def _parcel(row: Outgoing) -> Parcel:
    return Parcel(
        exchange=row.exchange,
        routing_key=row.routing_key,
        body=row.body,
        # How long it waited for its turn is counted from the time it was due.
        headers={**row.headers, "x-due": str(int(row.due_at.timestamp() * 1000))},
        priority=JobPriority(row.priority),
    )
