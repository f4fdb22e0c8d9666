"""A forward proxy on loopback: absolute requests and CONNECT tunnels, with the ways in which proxies fail."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Asked:
    """The head of one request as the proxy got it."""

    method: str
    target: str
    headers: dict[str, str]  # names in lower case


@dataclass
class ForwardProxy:
    """Change how it behaves at any time; what is under way goes on as it was."""

    credentials: tuple[str, str] | None = None  # asked of every request
    refuses_with: int | None = None  # the status of every answer
    silent: bool = False  # takes requests and says nothing
    dies_after_connect: bool = False  # opens the tunnel, then cuts it
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Cut every line at once."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = _parse(await reader.readuntil(b"\r\n\r\n"))
        self.asked.append(request)
        if self.silent:
            await reader.read()
            return
        status = self.refuses_with or self._judge(request)
        if status:
            if request.headers.get("content-length", "0") != "0":
                await reader.read(65_536)
            writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
            await writer.drain()
            await reader.read()  # the other side closes when it has read
        elif request.method == "CONNECT":
            await self._tunnel(request, reader, writer)
        else:
            await self._forward(request, reader, writer)

    def _judge(self, request: Asked) -> int | None:
        if self.credentials is None:
            return None
        expected = "Basic " + base64.b64encode(":".join(self.credentials).encode()).decode()
        return None if request.headers.get("proxy-authorization") == expected else 407

    async def _tunnel(self, request: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = request.target.rpartition(":")
        far = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        if self.dies_after_connect:
            await reader.read(1)
            far[1].transport.abort()
            return
        await self._join(reader, writer, far)

    async def _forward(self, request: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request for each connection: its answer ends with the connection."""
        url = urlsplit(request.target)
        path = url.path + (f"?{url.query}" if url.query else "")
        far = await asyncio.open_connection(url.hostname, url.port or 80)
        kept = {name: value for name, value in request.headers.items() if name != "proxy-authorization"}
        lines = [f"{name}: {value}" for name, value in (kept | {"connection": "close"}).items()]
        far[1].write("\r\n".join([f"{request.method} {path} HTTP/1.1", *lines, "", ""]).encode())
        await self._join(reader, writer, far)

    async def _join(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        await asyncio.gather(_pump(reader, far[1]), _pump(far[0], writer))


def _parse(head: bytes) -> Asked:
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    pairs = [line.partition(":") for line in lines if line]
    return Asked(method, target, {name.lower(): value.strip() for name, _, value in pairs})


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def forward_proxy(
    *, tls: ssl.SSLContext | None = None, credentials: tuple[str, str] | None = None
) -> AsyncIterator[ForwardProxy]:
    """Have a proxy listen on a free port of loopback, behind TLS if a context is given."""
    proxy = ForwardProxy(credentials=credentials)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=tls)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        await server.wait_closed()
