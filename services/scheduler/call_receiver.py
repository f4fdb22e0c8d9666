"""Calling a webhook's receiver: guarded, within a deadline, and without a look at what it says."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver

from shared.security import GuardedResolver, UnsafeUrlError, failure_reason
from shared.webhooks import check_receiver

_DEADLINE_S = 15.0
_CONNECT_S = 5.0
_GOOD = range(200, 300)
_REDIRECTS = range(300, 400)
_HEADERS = {hdrs.USER_AGENT: "InstaDistro", hdrs.CONTENT_TYPE: "application/json", hdrs.ACCEPT_ENCODING: "identity"}
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_LONGEST_WISH_S = 6 * 3600


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came of one call."""

    latency_ms: int
    status: int | None = None  # None: there was no answer
    error: str | None = None  # None: it was taken
    retry_after_s: int | None = None  # what the receiver wished


class Receivers:
    """The way to receivers."""

    def __init__(self, http: aiohttp.ClientSession, *, private_networks: bool) -> None:
        """Call through this session."""
        self._http = http
        self._private_networks = private_networks

    async def call(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Reply:
        """Send one delivery. Whatever goes wrong is told in the reply."""
        began = time.perf_counter()
        try:
            target = check_receiver(url, private_networks=self._private_networks)
            async with (
                asyncio.timeout(_DEADLINE_S),
                self._http.post(target, data=body, headers=headers, allow_redirects=False) as response,
            ):
                status, wished = response.status, response.headers.get(hdrs.RETRY_AFTER, "")
        except UnsafeUrlError as error:
            return Reply(latency_ms=_since(began), error=str(error))
        except TimeoutError:
            return Reply(latency_ms=_since(began), error=f"It did not answer within {_DEADLINE_S:g} s.")
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            return Reply(latency_ms=_since(began), error=f"It cannot be reached: {failure_reason(error)}.")
        return Reply(latency_ms=_since(began), status=status, error=_fault(status), retry_after_s=_seconds(wished))


@asynccontextmanager
async def open_receivers(
    *, private_networks: bool, resolver: AbstractResolver | None = None, trust: ssl.SSLContext | None = None
) -> AsyncIterator[Receivers]:
    """The way to receivers for as long as the context lasts.

    Args:
        private_networks: the operator lets webhooks lead anywhere, over http too.
        resolver: how names are resolved; the system's way if not given.
        trust: the certificates that are trusted; the system's if not given.
    """
    names = resolver or aiohttp.ThreadedResolver()
    connector = aiohttp.TCPConnector(
        resolver=names if private_networks else GuardedResolver(names, exempt=()),
        use_dns_cache=False,
        force_close=True,  # a connection that its server has closed meanwhile would cost a try
        limit=0,  # whoever calls has a limit
        ssl=trust or True,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
    ) as http:
        yield Receivers(http, private_networks=private_networks)


def _fault(status: int) -> str | None:
    if status in _GOOD:
        return None
    if status in _REDIRECTS:
        return f"It redirects with status {status}. Give the final URL."
    return f"It answered with status {status}."


def _seconds(wished: str) -> int | None:
    return min(int(wished), _LONGEST_WISH_S) if _SECONDS.fullmatch(wished) else None


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
