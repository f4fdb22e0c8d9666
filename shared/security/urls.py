"""Where a URL from outside may lead. Checked by form before a request, by address when its connection is made."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from shared.security.addresses import is_public
from shared.security.errors import UnsafeUrlError

_PORTS = (80, 443)
# Such hosts are addresses to a resolver (2130706433, 0x7f.1, 0177.0.0.1), whatever else they look like.
_NUMERIC_HOST = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE | re.ASCII)
_PLAIN_IPV4 = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str | URL) -> Self:
        """The origin of an absolute http or https URL.

        Raises:
            UnsafeUrlError: it is none.
        """
        parsed = parse_url(url)
        return cls(scheme=parsed.scheme, host=_host(parsed), port=parsed.port or 0)


def parse_url(url: str | URL) -> URL:
    """The URL as the HTTP client will read it, so that no two readings differ.

    Raises:
        UnsafeUrlError: it is no absolute http or https URL.
    """
    try:
        parsed = URL(url)
        known = parsed.scheme in {"http", "https"} and bool(parsed.raw_host) and bool(parsed.port)
    except ValueError:
        known = False
    if not known:
        raise UnsafeUrlError("The URL cannot be used: give an absolute URL that begins with https://.")
    return parsed


def check_url(url: URL, *, exempt: Collection[Origin]) -> None:
    """Refuse a URL whose form alone shows that it must not be fetched.

    Raises:
        UnsafeUrlError: the text says why. Tell the client.
    """
    if url.user is not None or url.password is not None:
        raise UnsafeUrlError("The URL holds a user name or password. Give one without.")
    if Origin.of(url) in exempt:
        return
    if url.scheme != "https":
        raise UnsafeUrlError("The URL must begin with https://.")
    if url.port not in _PORTS:
        raise UnsafeUrlError(f"The URL names port {url.port}; only 80 and 443 are allowed.")
    if is_private_literal(_host(url)):
        raise _not_public(_host(url))


def is_private_literal(host: str) -> bool:
    """Whether a host is an address, however it is written, that is not on the public internet."""
    return (":" in host or _NUMERIC_HOST.fullmatch(host) is not None) and not _is_public_literal(host)


class GuardedResolver(AbstractResolver):
    """Resolves names for a connection and refuses those that lead anywhere but to the public internet.

    The connection is made to the very addresses that were checked, so a name that changes its answer gains nothing.
    aiohttp connects to literal addresses without a resolver: `check_url` sees to those.
    """

    def __init__(self, resolver: AbstractResolver, *, exempt: Collection[Origin]) -> None:
        """Guard `resolver`; only the hosts and ports of `exempt` may be private."""
        self._resolver = resolver
        self._exempt = {(origin.host, origin.port) for origin in exempt}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of `host`.

        Raises:
            UnsafeUrlError: one of them is not public.
        """
        found = await self._resolver.resolve(host, port, family)
        if (host.lower().rstrip("."), port) not in self._exempt and not all(is_public(each["host"]) for each in found):
            raise _not_public(host)
        return found

    async def close(self) -> None:
        """Release the guarded resolver."""
        await self._resolver.close()


def _host(url: URL) -> str:
    return (url.raw_host or "").lower().rstrip(".")


def _is_public_literal(host: str) -> bool:
    return (":" in host or _PLAIN_IPV4.fullmatch(host) is not None) and is_public(host)


def _not_public(host: str) -> UnsafeUrlError:
    return UnsafeUrlError(f"The host {host!r} is not on the public internet. Give a URL that anyone can open.")
