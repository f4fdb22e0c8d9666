"""One request on the wire: its deadline, its bounds, and whether a byte of it was ever written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Literal

import aiohttp
from aiohttp.http import HttpProcessingError
from aiohttp.tracing import Trace
from yarl import URL

from shared.instagram.account import Egress
from shared.instagram.errors import GraphUnclearError, GraphUnreachableError

ANSWER_BYTES_MAX = 4 * 1024 * 1024  # a page of 100 media with the longest captions, all escaped, is under 2 MiB
_CHUNK_BYTES = 64 * 1024
_HEADER_BYTES_MAX = 64 * 1024  # of one line: usage of 32 kinds must not make an answer unreadable
_PROXY_WANTS_CREDENTIALS = 407


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to send. What is secret in it is in no text made from this object."""

    operation: str
    method: Literal["GET", "POST"]
    url: str
    bearer: str | None = field(default=None, repr=False)  # the token, in a header
    secrets: tuple[str, ...] = field(default=(), repr=False)  # to be kept out of every text, as the bearer is
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    proxy: Egress | None = None
    deadline_s: float  # for the whole exchange: waiting for a connection, connecting, sending, reading


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, headers and whole body of a response."""

    status: int
    headers: Mapping[str, str]  # of any case
    body: bytes


@dataclass
class _Wire:
    """How far a request has come, set by the trace."""

    connecting: bool = False  # a connection of its own is being made
    written: bool = False  # set just before its first byte can be written


class _WireTrace(aiohttp.TraceConfig):
    """Marks the request's `_Wire` when connecting begins, and when a connection is there and writing begins.

    Exception types alone cannot tell: a deadline looks the same before and after the request left. aiohttp traces
    nothing of the CONNECT that opens a tunnel through a proxy, so that `written` speaks of the request alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_connection_create_start.append(self._mark_connecting)
        self.on_request_headers_sent.append(self._mark_written)

    @staticmethod
    async def _mark_connecting(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceConnectionCreateStartParams
    ) -> None:
        if isinstance(context.trace_request_ctx, _Wire):
            context.trace_request_ctx.connecting = True

    @staticmethod
    async def _mark_written(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        if isinstance(context.trace_request_ctx, _Wire):
            context.trace_request_ctx.written = True


class _ProxyRefusedError(aiohttp.ClientError):
    """The proxy wants other credentials: what it got of the request went no further."""


class _TooLargeError(aiohttp.ClientError):
    """The answer has more bytes than are read of one."""


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
        max_field_size=_HEADER_BYTES_MAX,
        trust_env=False,
        trace_configs=[_WireTrace()],
    )


def is_graph_session(session: aiohttp.ClientSession) -> bool:
    """Whether `session` can tell if a byte was written, as those of `open_graph_session` can."""
    return any(isinstance(config, _WireTrace) for config in session.trace_configs)


async def exchange(session: aiohttp.ClientSession, call: Call) -> Answer:
    """Send `call` once and read the whole answer. Redirects are answers, never followed.

    Raises:
        GraphUnreachableError: nothing reached the platform. Repeat with backoff.
        GraphUnclearError: something was written, no whole answer came. A write needs a look before a repetition.
    """
    wire = _Wire()
    try:
        return await _exchange(session, call, wire)
    except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
        reason, refused = _reason(error, call), isinstance(error, _ProxyRefusedError)
    # Raised outside the handler: an exception of aiohttp can carry the request's headers, thus the token, and as a
    # context it would follow ours into every traceback.
    if wire.written and not refused:
        raise GraphUnclearError(reason, operation=call.operation)
    through_proxy = call.proxy is not None and wire.connecting
    raise GraphUnreachableError(reason, operation=call.operation, through_proxy=through_proxy or refused)


async def _exchange(session: aiohttp.ClientSession, call: Call, wire: _Wire) -> Answer:
    headers = {"Authorization": f"Bearer {call.bearer}"} if call.bearer else {}
    proxy, proxy_headers = _route(call.proxy)
    proxy_answers = proxy is not None and call.url.startswith("http:")  # else it only opens a tunnel
    if proxy_answers:
        headers |= proxy_headers  # aiohttp adds them to a CONNECT only
    async with (
        asyncio.timeout(call.deadline_s),
        session.request(
            call.method,
            call.url,
            params=call.query,
            data=call.form,
            headers=headers,
            proxy=proxy,
            # Also part of the key of pooled connections: none is shared between two credentials.
            proxy_headers=proxy_headers,
            allow_redirects=False,
            trace_request_ctx=wire,
        ) as response,
    ):
        if proxy_answers and response.status == _PROXY_WANTS_CREDENTIALS:
            raise _ProxyRefusedError
        return Answer(status=response.status, headers=response.headers, body=await _read(response))


def _route(egress: Egress | None) -> tuple[URL | None, dict[str, str]]:
    """The proxy of a call, and what to tell it."""
    if egress is None:
        return None, {}
    url = URL.build(scheme=egress.scheme, host=egress.host, port=egress.port)
    if egress.username is None:
        return url, {}
    credentials = aiohttp.encode_basic_auth(egress.username, egress.password or "", "utf-8")
    return url, {"Proxy-Authorization": credentials}


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise _TooLargeError
    return bytes(body)


def _reason(error: Exception, call: Call) -> str:
    """Words for an operator, made only from what can hold neither a header nor a piece of the answer."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection was made in time"
    if isinstance(error, TimeoutError):
        return f"{call.deadline_s:g} s have passed"
    if isinstance(error, _ProxyRefusedError):
        return "the proxy does not accept the credentials"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy refused to connect with HTTP {error.status}"
    if isinstance(error, _TooLargeError):
        return f"the answer is larger than {ANSWER_BYTES_MAX} bytes"
    if isinstance(error, aiohttp.ClientPayloadError | HttpProcessingError):
        return "the answer was cut off, or its body cannot be read"
    if isinstance(error, aiohttp.ClientConnectorError):
        return str(error)
    return type(error).__name__
