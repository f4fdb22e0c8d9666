"""One look whether a proxy lets calls through to the platform: a tunnel opened, nothing said in it."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import ssl
import time
from urllib.parse import SplitResult, urlsplit

from shared.errors import InstaDistroError
from shared.instagram.account import Egress

_LINE_BYTES_MAX = 4_096
_PORTS = {"http": 80, "https": 443}
_OK = 200
_WANTS_CREDENTIALS = 407
# What a proxy answers of its own where it does not reach the platform.
_NOT_PASSED_ON = frozenset({_WANTS_CREDENTIALS, 502, 503, 504})


class EgressDownError(InstaDistroError):
    """A proxy does not let calls through; the text says why, without its credentials."""


async def probe_egress(egress: Egress, *, graph_url: str, deadline_s: float) -> int:
    """Try the way to the platform; answers how many milliseconds it took.

    Args:
        egress: the proxy.
        graph_url: the platform's API. For https a tunnel to it is opened, for http its front page asked for.
        deadline_s: seconds for all of it.

    Raises:
        EgressDownError: it does not work. The proxy's operator must see to it.
    """
    started = time.monotonic()
    try:
        async with asyncio.timeout(deadline_s):
            status = await _ask(egress, urlsplit(graph_url))
    except TimeoutError:
        raise EgressDownError(f"The proxy did not answer within {deadline_s:g} s.") from None
    except OSError as error:
        raise EgressDownError(f"The proxy cannot be reached: {_why(error)}.") from None
    except ValueError:
        raise EgressDownError("What answers there is no HTTP proxy.") from None
    if status == _WANTS_CREDENTIALS:
        raise EgressDownError("The proxy does not accept the user name and password.")
    if status in _NOT_PASSED_ON or (graph_url.startswith("https:") and status != _OK):
        raise EgressDownError(f"The proxy does not reach the platform: it answers HTTP {status}.")
    return round((time.monotonic() - started) * 1000)


async def _ask(egress: Egress, platform: SplitResult) -> int:
    """The status of the proxy's answer."""
    secure = ssl.create_default_context() if egress.scheme == "https" else None
    reader, writer = await asyncio.open_connection(egress.host, egress.port, ssl=secure, limit=_LINE_BYTES_MAX)
    try:
        writer.write(_request(egress, platform))
        await writer.drain()
        return _status(await reader.readline())
    finally:
        # Not closed with a goodbye: a proxy may keep its end of a tunnel open, and the answer would come too late.
        writer.transport.abort()


def _request(egress: Egress, platform: SplitResult) -> bytes:
    authority = f"{platform.hostname}:{platform.port or _PORTS[platform.scheme]}"
    first = f"CONNECT {authority}" if platform.scheme == "https" else f"GET http://{authority}/"
    lines = [f"{first} HTTP/1.1", f"Host: {authority}", "User-Agent: InstaDistro", "Connection: close"]
    if egress.username is not None:
        pair = f"{egress.username}:{egress.password or ''}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
    return "\r\n".join([*lines, "", ""]).encode()


def _why(error: OSError) -> str:
    # Not in the system's words: they tell which addresses stand behind a name.
    if isinstance(error, socket.gaierror):
        return "its host name is not known"
    if isinstance(error, ssl.SSLError):
        return "it speaks no TLS, or its certificate is not trusted"
    return os.strerror(error.errno).lower() if error.errno else "none of its addresses answers"


def _status(line: bytes) -> int:
    """The number in a status line; ValueError if it is none."""
    version, _, rest = line.decode("latin-1").partition(" ")
    if not version.startswith("HTTP/"):
        raise ValueError("no HTTP")
    return int(rest[:3])
