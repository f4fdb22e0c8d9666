"""A platform that answers two reads as fast as it can: run as a process, so that its work is not counted as ours.

`python -m benchmarks.peers.health.platform` says where it listens and ends with its standard input. Whose a token is
stands in the token.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import cast

import uvloop

TOKEN_PREFIX = "bench-token-"  # noqa: S105 - of tokens that open nothing
_HEAD_END = b"\r\n\r\n"
_BEARER = f"Bearer {TOKEN_PREFIX}".encode()
_HEAD_BYTES_MAX = 65_536
_USAGE = (
    b'X-App-Usage: {"call_count":1,"total_time":1,"total_cputime":1}\r\n'
    b'X-Business-Use-Case-Usage: {"1":[{"type":"instagram","call_count":2,"total_time":1,"total_cputime":1,'
    b'"estimated_time_to_regain_access":0}]}\r\n'
)
_LIMIT = b'{"data":[{"quota_usage":3,"config":{"quota_total":100,"quota_duration":86400}}]}'


class Platform(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer here."""
        self._transport = cast("asyncio.Transport", transport)  # what a TCP server makes

    def data_received(self, data: bytes) -> None:
        """Answer each whole request; reads have no body."""
        self._received += data
        while _HEAD_END in self._received and self._transport is not None:
            head, _, self._received = self._received.partition(_HEAD_END)
            self._transport.write(_answer(head))
        if len(self._received) > _HEAD_BYTES_MAX and self._transport is not None:
            self._transport.close()


def _answer(head: bytes) -> bytes:
    body = _LIMIT if b"content_publishing_limit" in head.partition(b"\r\n")[0] else _profile(head)
    status = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\n"
    return status + _USAGE + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _profile(head: bytes) -> bytes:
    ig_user_id = head.partition(_BEARER)[2].partition(b"\r\n")[0].decode()
    profile = {
        "user_id": ig_user_id,
        "id": ig_user_id,
        "username": f"studio_{ig_user_id}",
        "name": "Studio",
        "account_type": "BUSINESS",
        "followers_count": 1200,
        "media_count": 340,
    }
    return json.dumps(profile).encode()


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Platform, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(_serve())
