"""Whom a call is for, and by which way it leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from shared.instagram.results import checked_id

_TOKEN = re.compile(r"[\x21-\x7e]{8,4096}")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_PORTS = range(1, 65_536)


@dataclass(frozen=True, kw_only=True)
class Egress:
    """A forward proxy that an account's calls leave through. Its credentials are in no text of it.

    Raises ValueError where it cannot be used as said.
    """

    scheme: Literal["http", "https"]  # how the proxy itself is spoken to
    host: str
    port: int
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.scheme not in {"http", "https"}:
            raise ValueError("a proxy is spoken to by http or https")
        if not _HOST.fullmatch(self.host) or self.port not in _PORTS:
            raise ValueError("a proxy needs a host name or address, and a port from 1 to 65535")
        if ":" in (self.username or ""):
            raise ValueError("the user name of a proxy cannot hold a colon")


@dataclass(frozen=True, kw_only=True)
class GraphAccount:
    """Whom a call is for. Raises ValueError where id or token cannot be sent; the token is in no text of it."""

    ig_user_id: str
    access_token: str = field(repr=False)
    proxy: Egress | None = None

    def __post_init__(self) -> None:
        checked_id(self.ig_user_id)
        if not is_token(self.access_token):
            raise ValueError("the access token must be 8 to 4096 visible ASCII characters")


def is_token(value: object) -> bool:
    """Whether `value` can be a token and fits in a header."""
    return isinstance(value, str) and bool(_TOKEN.fullmatch(value))
