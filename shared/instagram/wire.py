"""One request on the wire: its deadline, its bounds, and whether a byte of it was ever written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Literal

import aiohttp
from aiohttp.tracing import Trace

from shared.instagram.errors import GraphUnclearError, GraphUnreachableError

ANSWER_BYTES_MAX = 4 * 1024 * 1024  # a page of 100 media with the longest captions, all escaped, is under 2 MiB
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to send. The token travels in a header only and is in no text made from this object."""

    operation: str
    method: Literal["GET", "POST"]
    url: str
    token: str = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    deadline_s: float  # for the whole exchange: waiting for a connection, connecting, sending, reading


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status and whole body of a response."""

    status: int
    body: bytes


@dataclass
class _Wire:
    """Set by the trace just before the first byte of a request can be written."""

    written: bool = False


class _WireTrace(aiohttp.TraceConfig):
    """Marks the request's `_Wire` at the moment a connection is there and writing begins.

    Exception types alone cannot tell: a deadline looks the same before and after the request left.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_request_headers_sent.append(self._mark)

    @staticmethod
    async def _mark(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        if isinstance(context.trace_request_ctx, _Wire):
            context.trace_request_ctx.written = True


class _FreshForWrites(aiohttp.TCPConnector):
    """Pools connections for reads; gives every write a connection of its own.

    A pooled connection that the server is just closing swallows the request, and nobody can tell whether it was read: a
    publish would end unclear and wait for a probe. Reads are simply sent again by aiohttp. One handshake per write, two
    per published image, is the cheaper side; reads, several per publication, keep the pool.
    """

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit=limit)
        self._writes = aiohttp.TCPConnector(limit=limit, force_close=True)

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature of the method this overrides
    ) -> aiohttp.connector.Connection:
        if req.method == "GET":
            return await super().connect(req, traces, timeout)
        return await self._writes.connect(req, traces, timeout)

    async def close(self, *, abort_ssl: bool = False) -> None:
        await self._writes.close(abort_ssl=abort_ssl)
        await super().close(abort_ssl=abort_ssl)


def open_graph_session(*, connections: int = 128, connect_timeout_s: float = 10.0) -> aiohttp.ClientSession:
    """Open the session that `GraphClient` works on. Call it in a running event loop; close it when the process stops.

    It keeps no cookies and reads neither proxies nor credentials from the environment: two accounts share nothing but
    sockets.

    Args:
        connections: most simultaneous connections for reads, and as many again for writes.
        connect_timeout_s: most seconds for the TCP handshake to one address.
    """
    return aiohttp.ClientSession(
        connector=_FreshForWrites(limit=connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "User-Agent": "InstaDistro"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s),
        trust_env=False,
        trace_configs=[_WireTrace()],
    )


def is_graph_session(session: aiohttp.ClientSession) -> bool:
    """Whether `session` can tell if a byte was written, as those of `open_graph_session` can."""
    return any(isinstance(config, _WireTrace) for config in session.trace_configs)


async def exchange(session: aiohttp.ClientSession, call: Call) -> Answer:
    """Send `call` once and read the whole answer. Redirects are answers, never followed.

    Raises:
        GraphUnreachableError: nothing was written. Repeat with backoff.
        GraphUnclearError: something was written, no whole answer came. A write needs a look before a repetition.
    """
    wire = _Wire()
    try:
        return await _exchange(session, call, wire)
    except (aiohttp.ClientError, OSError) as error:
        reason = _reason(error, call)
    # Raised outside the handler: an exception of aiohttp can carry the request's headers, thus the token, and as a
    # context it would follow ours into every traceback.
    if wire.written:
        raise GraphUnclearError(reason, operation=call.operation)
    raise GraphUnreachableError(reason, operation=call.operation)


async def _exchange(session: aiohttp.ClientSession, call: Call, wire: _Wire) -> Answer:
    async with (
        asyncio.timeout(call.deadline_s),
        session.request(
            call.method,
            call.url,
            params=call.query,
            data=call.form,
            headers={"Authorization": f"Bearer {call.token}"},
            allow_redirects=False,
            trace_request_ctx=wire,
        ) as response,
    ):
        return Answer(status=response.status, body=await _read(response))


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise aiohttp.ClientPayloadError(f"the answer is larger than {ANSWER_BYTES_MAX} bytes")
    return bytes(body)


def _reason(error: Exception, call: Call) -> str:
    """Words for an operator, made only from what cannot hold a header."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection was made in time"
    if isinstance(error, TimeoutError):
        return f"{call.deadline_s:g} s have passed"
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientPayloadError):
        return str(error)
    return type(error).__name__
