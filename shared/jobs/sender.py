"""Publishing with confirms: what this module reports as sent, the broker has."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractExchange
from aio_pika.exceptions import PublishError

from shared import metrics
from shared.errors import InstaDistroError
from shared.jobs import topology
from shared.jobs.broker import BROKER_ERRORS, Session, open_session
from shared.jobs.types import JobPriority
from shared.outbox import EVENTS, Outgoing

_PUBLISH_DEADLINE_S = 5.0
# Unconfirmed messages at a time: beyond about 1,000 the client walks long lists and nothing gets faster.
_CONFIRM_WINDOW = 500

log = structlog.get_logger()


class NotSentError(InstaDistroError):
    """The broker did not confirm a message in time. It may have it nevertheless; send it again."""


@dataclass(frozen=True, kw_only=True)
class _Open:
    session: Session
    exchanges: Mapping[str, AbstractExchange]
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

    async def ready(self) -> None:
        """Raise unless the broker answers within 5 s; also for a readiness probe."""
        async with asyncio.timeout(_PUBLISH_DEADLINE_S):
            await self._opened()

    async def publish(
        self, *, exchange: str, routing_key: str, body: bytes, headers: Mapping[str, str], priority: JobPriority | None
    ) -> None:
        """Publish one message and wait for the broker's confirm.

        Raises:
            NotSentError: no confirm within 5 s, or no queue takes the message. Nothing is lost if the caller keeps its
                own record and tries again.
        """
        message = Message(
            body,
            headers=dict(headers),
            priority=priority.amqp if priority else None,
            delivery_mode=DeliveryMode.PERSISTENT,
            content_type="application/json",
        )
        try:
            async with self._window, asyncio.timeout(_PUBLISH_DEADLINE_S):
                opened = await self._opened()
                # An event that nobody listens to is no fault; a job without a queue is.
                mandatory = exchange != EVENTS
                try:
                    await opened.exchanges[exchange].publish(message, routing_key, mandatory=mandatory)
                except PublishError:
                    # No queue takes it: one of ours may have been deleted. The next session declares it again.
                    opened.session.lost.set()
                    raise
        except (*BROKER_ERRORS, InstaDistroError) as error:
            raise NotSentError(f"{routing_key} was not confirmed: {error or type(error).__name__}") from error

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

    async def send_rows(self, rows: Sequence[Outgoing]) -> set[int]:
        """Publish outbox rows side by side; answers the ids of those that were confirmed."""
        if not await self.reachable():
            return set()
        answers = await asyncio.gather(*(self._send_row(row) for row in rows), return_exceptions=True)
        failures = [answer for answer in answers if isinstance(answer, BaseException)]
        if failures:
            log.warning("sender.unconfirmed", rows=len(failures), first=str(failures[0]))
        return {row.id for row, answer in zip(rows, answers, strict=True) if not isinstance(answer, BaseException)}

    async def _send_row(self, row: Outgoing) -> None:
        await self.publish(
            exchange=row.exchange,
            routing_key=row.routing_key,
            body=row.body,
            headers=row.headers,
            priority=JobPriority(row.priority),
        )

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
                    return {
                        queue.name: (
                            await channel.declare_queue(queue.name, passive=True)
                        ).declaration_result.message_count
                        or 0
                        for queue in topology.QUEUES
                    }
        except (*BROKER_ERRORS, InstaDistroError) as error:
            raise NotSentError(f"queues could not be counted: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connection; the sender may be used again."""
        opened, self._open = self._open, None
        if opened is not None:
            await opened.stack.aclose()

    async def _opened(self) -> _Open:
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
            exchanges = {name: await session.channel.get_exchange(name, ensure=False) for name in topology.EXCHANGES}
            return _Open(session=session, exchanges=exchanges, stack=stack.pop_all())
