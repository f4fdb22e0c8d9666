"""A platform whose answers, and whose ways to break, a test chooses; and clients of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.instagram import GraphAccount, GraphClient, Observe, Watch, open_graph_session

TOKEN = "IGAA-this-is-no-real-token"
ACCOUNT = GraphAccount(ig_user_id="17841400000000001", access_token=TOKEN)
CONTAINER = "17900000000000007"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """One request as the server got it, and the connection it came on."""

    method: str
    target: str
    authorization: str | None
    cookie: str | None
    form: dict[str, str]
    peer: tuple[str, int]
    headers: Mapping[str, str]


@dataclass
class Platform:
    """A server whose one answer the test chooses."""

    answer: Handler
    seen: list[Seen] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        peer = request.get_extra_info("peername")
        headers = request.headers
        self.seen.append(
            Seen(
                request.method,
                request.path_qs,
                headers.get("Authorization"),
                headers.get("Cookie"),
                form,
                peer[:2],
                headers,
            )
        )
        return await self.answer(request)


def client_of(
    session: aiohttp.ClientSession,
    base_url: str,
    *,
    version: str = "v25.0",
    deadline_s: float = 10,
    publish_deadline_s: float | None = None,
    observe: Observe | None = None,
    watch: Watch | None = None,
) -> GraphClient:
    return GraphClient(
        session,
        base_url=base_url,
        version=version,
        deadline_s=deadline_s,
        publish_deadline_s=publish_deadline_s or deadline_s,
        observe=observe,
        watch=watch,
    )


@asynccontextmanager
async def platform(answer: Handler, **options: Any) -> AsyncIterator[tuple[GraphClient, Platform]]:
    served = Platform(answer)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", served.handle)
    async with TestServer(app) as server, open_graph_session() as session:
        yield client_of(session, str(server.make_url("/")), **options), served


def says(body: object, status: int = 200) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    return answer


def says_text(text: str, status: int) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type="text/html")

    return answer


def refuses(status: int = 400, **error: object) -> Handler:
    return says({"error": {"message": "no", "type": "OAuthException", "fbtrace_id": "Atrace"} | error}, status)


Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def bare_server(connected: Connected) -> AsyncIterator[str]:
    """A server below HTTP: `connected` does what it likes with each connection, then it is closed."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await connected(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def read_request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)


async def publish(client: GraphClient) -> str:
    return await client.publish_container(ACCOUNT, CONTAINER)


async def close_after_request(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await read_request(reader)


async def close_after_first_bytes(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def reset_after_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    linger = b"\x01\0\0\0\0\0\0\0"
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


async def half_an_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"id": "1"')


async def no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"SSH-2.0-something\r\n\r\n")


async def never_answer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def never_end_the_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id": "1"')
    await reader.read()


BREAKS_AFTER_SENDING = [
    close_after_request,
    close_after_first_bytes,
    reset_after_request,
    half_an_answer,
    no_http,
    never_answer,
    never_end_the_answer,
]


def everything_said(error: BaseException | None) -> str:
    """All text that a log, a debugger's view or an error tracker could make of an error and what hangs on it."""
    said = []
    while error is not None:
        said += [repr(error), str(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
        error = error.__cause__ or error.__context__
    return "\n".join(said)
