"""A line to the broker on which single kinds of frames can be swallowed: what a broken peer, or a broken library, does.

The rest goes on: heartbeats, answers, other channels. That is what makes a worker deaf instead of cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from enum import Enum
from urllib.parse import urlsplit

from tests.proxy import Proxy

_GREETING = b"AMQP"
_HEAD = struct.Struct(">BHI")  # type, channel, size of the payload
_METHOD_FRAME = 1
_CONTENT_FRAMES = {2, 3}


class Method(Enum):
    """Methods of AMQP 0-9-1 that tests take off the line, by class and method id."""

    CANCEL = (60, 30)
    DELIVER = (60, 60)
    ACK = (60, 80)


class Line(Proxy):
    """Forwards frames both ways, but for the methods in `swallowed`, with their content."""

    def __init__(self, *, host: str, port: int) -> None:
        super().__init__(host=host, port=port)
        self.swallowed: set[Method] = set()
        self.swallows = 0

    def reroute(self, url: str) -> str:
        """The same URL, by way of this line."""
        parts = urlsplit(url)
        return parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{self.port}").geturl()

    async def has_swallowed(self) -> bool:
        """Whether anything was taken off yet."""
        return self.swallows > 0

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one direction of one connection."""
        mute: set[int] = set()  # channels whose last method was swallowed: its content follows it
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(_HEAD.size)
                if head.startswith(_GREETING):
                    writer.write(head + await reader.readexactly(1))
                    continue
                kind, channel, size = _HEAD.unpack(head)
                rest = await reader.readexactly(size + 1)
                if kind == _METHOD_FRAME:
                    mute.discard(channel)
                    if self._swallows(rest):
                        mute.add(channel)
                        self.swallows += 1
                        continue
                elif kind in _CONTENT_FRAMES and channel in mute:
                    continue
                writer.write(head + rest)
                await writer.drain()
        writer.transport.abort()

    def _swallows(self, payload: bytes) -> bool:
        return struct.unpack_from(">HH", payload) in {method.value for method in self.swallowed}
