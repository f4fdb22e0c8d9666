"""Fetching what a client's URL names, without becoming the client's way into this network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from shared.security.errors import BodyTooLargeError, FetchFailedError, UnsafeUrlError
from shared.security.urls import GuardedResolver, Origin, check_url, parse_url

_REDIRECTS_MAX = 3
_REDIRECTS = {301, 302, 303, 307, 308}
_CHUNK_BYTES = 64 * 1024
# Compression would let a small answer grow without bound; media are compressed already.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "InstaDistro"}
_STALL_S = 20.0
# Addresses and numbers of errors are left out: they tell of this network.
_REASONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    ((aiohttp.ClientConnectorDNSError, UnicodeError), "its host name is not known"),
    (aiohttp.ClientSSLError, "its certificate is not valid"),
    (aiohttp.ClientConnectorError, "its server takes no connection"),
    (aiohttp.ClientResponseError, "its server does not answer as HTTP wants"),
)

#: What takes a body, piece by piece.
Write = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class FetchedBody:
    """What was fetched. Its type is only what the server says: look into the content."""

    size: int  # bytes
    content_type: str | None  # in lower case, without parameters
    final_url: str  # after redirects


async def fetch_guarded(
    url: str,
    write: Write,
    *,
    exempt: Collection[Origin] = (),
    max_bytes: int,
    deadline_s: float,
    resolver: AbstractResolver | None = None,
) -> FetchedBody:
    """Hand the body at a URL that came from outside to `write`.

    Only https on port 80 or 443 of public addresses, checked when each connection is made; at most 3 redirects, each
    held to the same rules; no cookies, no credentials, no proxy of the environment.

    Args:
        url: where to fetch.
        write: is given the pieces in turn. What was written before an error is part of a body at best. What it raises
            ends the fetch and is passed on.
        exempt: origins that may be private and plain http: this system's own public URL, for a URL it gave out itself.
        max_bytes: the largest body that is accepted.
        deadline_s: for everything together, in seconds.
        resolver: how names are resolved; the system's way if not given.

    Raises:
        UnsafeUrlError: the URL, or one it redirects to, is forbidden. Tell the client (`media_url_forbidden`).
        FetchFailedError: there was no usable answer in time. Tell the client (`media_unreachable`).
        BodyTooLargeError: the body exceeds `max_bytes`. Tell the client (`media_too_large`).
    """
    guarded = GuardedResolver(resolver or aiohttp.ThreadedResolver(), exempt=exempt)
    connector = aiohttp.TCPConnector(resolver=guarded, use_dns_cache=False, force_close=True)
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_STALL_S, sock_read=_STALL_S),
    )
    try:
        async with asyncio.timeout(deadline_s), session:
            return await _follow(session, parse_url(url), write, exempt=exempt, max_bytes=max_bytes)
    except aiohttp.ServerTimeoutError as error:
        raise FetchFailedError(f"The URL gave nothing for {_STALL_S:g} s.") from error
    except TimeoutError as error:
        raise FetchFailedError(f"The URL gave no complete answer within {deadline_s:g} s.") from error
    except (aiohttp.ClientError, UnicodeError) as error:
        raise FetchFailedError(f"The URL cannot be fetched: {failure_reason(error)}.") from error


def failure_reason(error: Exception) -> str:
    """Why a request failed, in words that tell nothing of this network."""
    return next((words for kinds, words in _REASONS if isinstance(error, kinds)), "its server broke off the answer")


async def _follow(
    session: aiohttp.ClientSession, url: URL, write: Write, *, exempt: Collection[Origin], max_bytes: int
) -> FetchedBody:
    for _ in range(_REDIRECTS_MAX + 1):
        check_url(url, exempt=exempt)
        async with session.get(url, allow_redirects=False) as response:
            if response.status not in _REDIRECTS:
                return await _read(response, write, max_bytes=max_bytes)
            url = _target(response)
    raise FetchFailedError(f"The URL redirects more than {_REDIRECTS_MAX} times.")


def _target(response: aiohttp.ClientResponse) -> URL:
    location = response.headers.get("Location")
    if not location:
        raise FetchFailedError("The URL redirects without saying where.")
    try:
        target = response.url.join(URL(location))
    except ValueError as error:
        raise UnsafeUrlError("The URL redirects to something that is no URL.") from error
    return parse_url(target)


async def _read(response: aiohttp.ClientResponse, write: Write, *, max_bytes: int) -> FetchedBody:
    if response.status != HTTPStatus.OK:
        raise FetchFailedError(f"The URL answers with status {response.status}.")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchFailedError("The URL answers with a compressed body. Serve the file as it is.")
    if (response.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        await write(chunk)
    content_type = response.content_type.lower() if "Content-Type" in response.headers else None
    return FetchedBody(size=size, content_type=content_type, final_url=str(response.url))


def _too_large(max_bytes: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"The file is larger than the {max_bytes} bytes allowed.")
