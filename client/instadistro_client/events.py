"""The live stream of events, taken up again wherever it broke off."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from instadistro_client.errors import ApiError, ClientError, EventsLostError, NoAnswerError, error_of
from instadistro_client.transport import CONNECT_S, Request, Transport, plain_query

# Signs of life come every 15 s: a stream that is silent for so long is dead.
_SILENT_S = 45.0
_AGAIN_S = 2.0
_LINE_BYTES_MAX = 1024 * 1024
_OK = 200


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    id: str  # stable: the same in webhooks
    type: str
    subject: str  # the id of what it happened to
    created_at: datetime
    data: dict[str, Any]
    place: str = ""  # in the stream: keep the last one's, to go on behind it


class EventStream:
    """Events as they happen, each once: `async with api.events() as events: async for event in events: ...`.

    A connection that breaks is made again, and goes on behind the last event, for as long as it takes.
    """

    def __init__(self, transport: Transport, *, types: Sequence[str], after: str | None) -> None:
        """Nothing is sent yet.

        Args:
            transport: the way to the gateway.
            types: only these; none: all.
            after: the place of the last event that is known already; None: begin when the context is entered.
        """
        self._transport = transport
        self._types = types
        self._place = after
        self._frames: AsyncGenerator[Mapping[str, str]] | None = None

    @property
    def place(self) -> str | None:
        """How far it has been read: it moves on even where nothing came that was asked for."""
        return self._place

    async def __aenter__(self) -> Self:
        """Connect: nothing that happens from now on is missed.

        Raises:
            ApiError: the gateway refuses.
            NoAnswerError: it could not be reached within the policy's deadline.
            EventsLostError: too much time has passed since `after`.
        """
        self._frames = self._read_on()
        try:
            async with asyncio.timeout(self._transport.policy.deadline_s):
                await self._next_frame()
        except BaseException as error:
            await self._frames.aclose()
            if isinstance(error, TimeoutError):
                raise NoAnswerError(f"no stream of events from {self._transport.url}") from error
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._frames is not None:
            await self._frames.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event.

        Raises:
            ApiError: the gateway refuses to go on, such as with a key that was revoked.
            EventsLostError: the gateway was out of reach for too long.
        """
        while True:
            frame = await self._next_frame()
            if "id" in frame and "data" in frame:
                return msgspec.structs.replace(msgspec.json.decode(frame["data"], type=Event), place=frame["id"])

    async def _next_frame(self) -> Mapping[str, str]:
        if self._frames is None:
            raise RuntimeError("enter the stream first: `async with api.events() as events`")
        frame = await anext(self._frames)
        self._place = frame.get("id", self._place)
        if frame.get("event") == "reset":
            raise EventsLostError(frame["id"])
        return frame

    async def _read_on(self) -> AsyncGenerator[Mapping[str, str]]:
        """What all connections bring, one after the other, for ever."""
        while True:
            wait_s = _AGAIN_S
            try:
                async with aclosing(self._connection()) as frames:
                    async for frame in frames:
                        yield frame
            except ApiError as error:
                if not error.problem.retryable:
                    raise
                wait_s = error.retry_after_s or wait_s
            except NoAnswerError:
                pass
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret

    async def _connection(self) -> AsyncGenerator[Mapping[str, str]]:
        own = {"Accept": "text/event-stream"} | ({} if self._place is None else {"Last-Event-ID": self._place})
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self._transport.connections.session.get(
                f"{self._transport.url}/v1/events",
                params=plain_query({"types": ",".join(self._types) or None}),
                headers=self._transport.headers(Request(method="GET", path="/v1/events", headers=own)),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=_SILENT_S),
                read_bufsize=_LINE_BYTES_MAX,
                allow_redirects=False,
            ) as response:
                if response.status != _OK:
                    raise await _refusal(response)
                async for frame in _frames_of(response.content):
                    yield frame


async def _refusal(response: aiohttp.ClientResponse) -> ClientError:
    return error_of(response.status, await response.read(), retry_after=response.headers.get("Retry-After"))


async def _frames_of(content: aiohttp.StreamReader) -> AsyncGenerator[Mapping[str, str]]:
    """The frames as blank lines part them; one that is cut off is none."""
    fields: dict[str, str] = {}
    async for raw in content:
        line = raw.decode().rstrip("\r\n")
        if not line:
            if fields:
                yield fields
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
