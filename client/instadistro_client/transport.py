"""One request, made until it is answered: with a deadline, and only in ways in which it happens once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

import aiohttp
import msgspec

from instadistro_client.errors import ApiError, ClientError, NoAnswerError, UnexpectedAnswerError, error_of

T = TypeVar("T")

CONNECT_S = 10.0
_CONNECTIONS = 32
_JSON = "application/json"
_SUCCESS = range(200, 300)
_RETRIED = frozenset({"rate_limited", "not_ready", "backlog_too_old", "idempotency_in_flight", "request_timeout"})
# What stands between here and the gateway says these while the gateway is away.
_RETRIED_OF_OTHERS = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How long a call goes on. The gateway's own wish for a pause wins over these, within the deadline."""

    attempts: int = 5
    first_wait_s: float = 0.2  # doubled after each attempt, and a random part of it left out
    most_wait_s: float = 10.0
    deadline_s: float = 60.0  # for all attempts of one call together


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None  # as JSON; None: none
    content: Callable[[], AbstractContextManager[Any]] | None = None  # opens another body, anew for each attempt
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A good answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Connections:
    """The connections to one gateway, opened when they are first needed."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session.

        Raises:
            RuntimeError: the client was closed; make another one.
        """
        if self._closed:
            raise RuntimeError("this client is closed; make another one")
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def close(self) -> None:
        """End them; nothing is sent any more."""
        self._closed = True
        if self._session is not None:
            await self._session.close()


class Transport:
    """Speaks to one gateway with one key."""

    def __init__(self, url: str, *, api_key: str, policy: RetryPolicy) -> None:
        """Nothing is opened yet.

        Args:
            url: the gateway's address, without `/v1`.
            api_key: `ids_...`.
            policy: how long calls go on.

        Raises:
            ValueError: this is no such address.
        """
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")) or self.url.endswith("/v1"):
            raise ValueError(f"{url!r} is no address of a gateway: write http:// or https://, the host, and no /v1")
        self.policy = policy
        self.connections = Connections()
        self.own_headers = {"Authorization": f"Bearer {api_key}"}

    def with_options(self, *, policy: RetryPolicy | None, headers: Mapping[str, str]) -> Self:
        """The same way, through the same connections, with another policy or more headers."""
        other = copy(self)
        other.policy = policy or self.policy
        other.own_headers = {**self.own_headers, **headers}
        return other

    async def call(self, request: Request, shape: type[T]) -> T:
        """The answer's body as `shape`. Raises as `send`."""
        reply = await self.send(request)
        if not reply.content:
            return msgspec.convert(None, shape)
        try:
            return msgspec.json.decode(reply.content, type=shape)
        except msgspec.MsgspecError as error:
            told = f"the answer to {request.method} {request.path} is of another version of the gateway: {error}"
            raise UnexpectedAnswerError(told, status=reply.status) from error

    async def send(self, request: Request) -> Reply:
        """A good answer, after as many attempts as the policy allows.

        Raises:
            ApiError: the gateway refused; its class says how to go on.
            NoAnswerError: none came.
            UnexpectedAnswerError: one came, but not of a gateway.
        """
        # One key for all attempts, so that what they do is done once.
        own = {"Idempotency-Key": str(uuid4())} if request.method == "POST" else {}
        keyed = replace(request, headers={**own, **request.headers})
        ends_at = time.monotonic() + self.policy.deadline_s
        attempt = 1
        while True:
            try:
                return await self._attempt(keyed, left_s=ends_at - time.monotonic())
            except ClientError as error:
                wait_s = self._wait_s(error, attempt)
                if wait_s is None or time.monotonic() + wait_s >= ends_at:
                    raise
            attempt += 1
            await asyncio.sleep(wait_s)

    def headers(self, request: Request) -> dict[str, str]:
        """All headers of a request."""
        return {**request.headers, **self.own_headers}

    async def _attempt(self, request: Request, *, left_s: float) -> Reply:
        try:
            with _opened(request) as body:
                async with self.connections.session.request(
                    request.method,
                    self.url + request.path,
                    params=plain_query(request.query),
                    headers=self.headers(request) | ({} if request.body is None else {"Content-Type": _JSON}),
                    data=body,
                    timeout=aiohttp.ClientTimeout(total=max(0.001, left_s), sock_connect=CONNECT_S),
                    allow_redirects=False,
                ) as response:
                    content = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            told = f"no answer to {request.method} {self.url}{request.path}: {error or type(error).__name__}"
            raise NoAnswerError(told) from error
        if response.status not in _SUCCESS:
            raise error_of(response.status, content, retry_after=response.headers.get("Retry-After"))
        return Reply(status=response.status, headers=response.headers, content=content)

    def _wait_s(self, error: ClientError, attempt: int) -> float | None:
        """How long to wait for the next attempt; None: there is none."""
        if attempt >= self.policy.attempts or not may_pass(error):
            return None
        wish = error.retry_after_s if isinstance(error, ApiError) else None
        grown = min(self.policy.first_wait_s * 2 ** (attempt - 1), self.policy.most_wait_s)
        return grown * random.uniform(0.5, 1.0) if wish is None else wish  # noqa: S311 - jitter, no secret


def may_pass(error: ClientError) -> bool:
    """Whether the same request may soon be answered well."""
    if isinstance(error, ApiError):
        return error.code in _RETRIED
    return not isinstance(error, UnexpectedAnswerError) or error.status in _RETRIED_OF_OTHERS


def _opened(request: Request) -> AbstractContextManager[Any]:
    if request.content is not None:
        return request.content()
    return nullcontext(None if request.body is None else msgspec.json.encode(request.body))


def plain_query(query: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as texts; what is None is left out."""
    return {name: _plain(value) for name, value in query.items() if value is not None}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | UUID):
        return str(value)
    text: str = msgspec.to_builtins(value)  # a time in RFC 3339
    return text
