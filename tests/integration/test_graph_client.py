"""The client against servers that answer, and break, as the platform does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.instagram import (
    ContainerCode,
    ErrorClass,
    GraphAccount,
    GraphClient,
    GraphError,
    GraphUnclearError,
    GraphUnreachableError,
    InstagramError,
    Media,
    Observe,
    PublishingLimit,
    open_graph_session,
)
from shared.instagram.wire import ANSWER_BYTES_MAX

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
            Seen(request.method, request.path_qs, headers.get("Authorization"), headers.get("Cookie"), form, peer[:2])
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
) -> GraphClient:
    return GraphClient(
        session,
        base_url=base_url,
        version=version,
        deadline_s=deadline_s,
        publish_deadline_s=publish_deadline_s or deadline_s,
        observe=observe,
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


async def test_a_container_is_made_with_the_content_in_the_body_and_the_token_in_a_header():
    """Nothing but the account's id is in the URL of a write."""
    caption = "Café & crème #één +1 😀\nline"
    async with platform(says({"id": 17900000000000007})) as (client, served):
        made = await client.create_image_container(ACCOUNT, image_url="https://m.test/a.jpg?x=1&y=2", caption=caption)

    assert made == CONTAINER
    (request,) = served.seen
    assert (request.method, request.target) == ("POST", "/v25.0/17841400000000001/media")
    assert request.form == {"image_url": "https://m.test/a.jpg?x=1&y=2", "caption": caption}
    assert request.authorization == f"Bearer {TOKEN}"


async def test_a_container_is_published():
    """The container's id goes in, the media's id comes out."""
    async with platform(says({"id": "18000000000000009"})) as (client, served):
        assert await publish(client) == "18000000000000009"

    (request,) = served.seen
    assert (request.method, request.target) == ("POST", "/v25.0/17841400000000001/media_publish")
    assert request.form == {"creation_id": CONTAINER}


async def test_reads_carry_fields_and_no_secret_in_their_url():
    """Every read asks for what it needs by query, the token stays in the header."""
    body = {"id": "1", "status_code": "FINISHED", "quota_usage": 2, "user_id": "17841400000000001", "username": "shop"}
    async with platform(says({"data": [body]}), version="") as (client, served):
        assert (await client.container_status(ACCOUNT, CONTAINER)).code is ContainerCode.FINISHED
        assert (await client.publishing_limit(ACCOUNT)) == PublishingLimit(used=2, total=None, duration_s=None)
        assert (await client.profile(ACCOUNT)).ig_user_id == ACCOUNT.ig_user_id
        assert (await client.media(ACCOUNT, "1")).id == "1"

    assert [request.target for request in served.seen] == [
        f"/{CONTAINER}?fields=status_code,status",
        "/17841400000000001/content_publishing_limit?fields=quota_usage,config",
        "/me?fields=user_id,username,name,account_type,followers_count,media_count",
        "/1?fields=id,caption,timestamp,permalink",
    ]
    assert {request.authorization for request in served.seen} == {f"Bearer {TOKEN}"}


async def test_recent_media_follows_short_pages_to_the_end_of_the_list():
    """A short or empty page is not the end: what is missing in the result is missing on the platform."""
    pages = {
        None: {"data": [], "paging": {"next": f"https://x.test/?access_token={TOKEN}", "cursors": {"after": "c1"}}},
        "c1": {
            "data": [
                {"id": "2", "caption": "b", "timestamp": "2026-01-02T03:04:05+0000", "permalink": "https://i.test/2"}
            ],
            "paging": {"next": "https://x.test/", "cursors": {"after": "c2"}},
        },
        "c2": {"data": [{"id": 1}], "paging": {"cursors": {"after": "c3"}}},
    }

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(pages[request.query.get("after")])

    async with platform(answer) as (client, served):
        found = await client.recent_media(ACCOUNT, limit=25)
        one = await client.recent_media(ACCOUNT, limit=1)

    newest = Media(
        id="2", caption="b", timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), permalink="https://i.test/2"
    )
    assert found == [newest, Media(id="1", caption=None, timestamp=None, permalink=None)]
    assert one == [newest]
    assert len(served.seen) == 5


async def test_a_list_without_end_is_given_up():
    """Endless empty pages end in an error, neither in a loop nor in a false 'absent'."""
    page = {"data": [], "paging": {"next": "https://x.test/", "cursors": {"after": "same"}}}
    async with platform(says(page)) as (client, served):
        with pytest.raises(GraphUnclearError, match="goes on after 10 pages"):
            await client.recent_media(ACCOUNT, limit=5)

    assert len(served.seen) == 10


@pytest.mark.parametrize("limit", [0, -1, 101])
async def test_recent_media_refuses_a_limit_the_platform_does_not_take(limit):
    """A limit outside 1 to 100 is the caller's mistake and costs no call."""
    async with platform(says({"data": []})) as (client, served):
        with pytest.raises(ValueError, match="limit must be from 1 to 100"):
            await client.recent_media(ACCOUNT, limit=limit)

    assert served.seen == []


async def test_an_id_that_would_change_the_path_is_refused():
    """Ids come from storage and answers; none can reach another path."""
    async with platform(says({})) as (client, served):
        for bad in ("../me", "", "1?fields=access_token", "1/media"):
            with pytest.raises(ValueError, match="an id is missing or malformed"):
                await client.container_status(ACCOUNT, bad)
            with pytest.raises(ValueError, match="an id is missing or malformed"):
                await client.publish_container(ACCOUNT, bad)

    assert served.seen == []


async def test_a_refusal_carries_everything_the_envelope_says():
    """Code, subcode, flag, trace and status of the envelope are fields of the error."""
    answer = refuses(403, code=4, error_subcode=2207051, is_transient=False, message="blocked", error_user_title="x")
    async with platform(answer) as (client, _):
        with pytest.raises(GraphError) as caught:
            await publish(client)

    error = caught.value
    assert (error.operation, error.code, error.subcode, error.http_status) == ("publish_container", 4, 2207051, 403)
    assert (error.message, error.fbtrace_id, error.is_transient) == ("blocked", "Atrace", False)
    assert (error.error_class, error.may_be_live) == (ErrorClass.SPAM_SUSPECTED, True)


@pytest.mark.parametrize(
    ("answer", "error_class"),
    [
        (refuses(500, code=2, is_transient=True), ErrorClass.TRANSIENT),
        (refuses(400, code="9007", error_subcode="2207027"), ErrorClass.NOT_READY),
        (refuses(200, code=190), ErrorClass.REAUTH),
        (refuses(400, code=99999, is_transient=True), ErrorClass.TRANSIENT),
        (refuses(400, code=None, message=None, fbtrace_id=7), ErrorClass.UNKNOWN),
        (says({"error": {}}, 500), ErrorClass.TRANSIENT),
        (says_text("<html>denied</html>", 401), ErrorClass.REAUTH),
        (says_text("<html>slow down</html>", 429), ErrorClass.THROTTLED),
        (says_text("<html>denied</html>", 403), ErrorClass.UNKNOWN),
        (says([], 404), ErrorClass.UNKNOWN),
    ],
)
async def test_refusals_of_every_shape_are_classified(answer, error_class):
    """An envelope with odd types, on any status, and a gateway's 4xx page are refusals, not surprises."""
    async with platform(answer) as (client, _):
        with pytest.raises(GraphError) as caught:
            await publish(client)

    assert caught.value.error_class is error_class


@pytest.mark.parametrize(
    "answer",
    [
        says_text("<html>Bad Gateway</html>", 502),
        says({"success": False}, 500),
        says_text("", 200),
        says_text("[" * 100_000, 200),
        says_text('{"id": "1', 200),
        says([], 200),
        says({}, 200),
        says({"id": None}, 200),
        says({"error": "a string"}, 200),
        says_text("x" * (ANSWER_BYTES_MAX + 1), 200),
    ],
    ids=["502", "500", "empty", "deep", "cut", "list", "object", "no id", "odd error", "too large"],
)
async def test_an_answer_that_says_nothing_leaves_a_publish_unclear(answer):
    """A server failure or a success without a media id proves neither outcome."""
    async with platform(answer) as (client, served):
        with pytest.raises(GraphUnclearError) as caught:
            await publish(client)

    assert caught.value.operation == "publish_container"
    assert len(served.seen) == 1


async def test_a_redirect_is_not_followed():
    """The token and the content of a write go nowhere else."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with platform(answer) as (client, served):
        with pytest.raises(GraphError) as caught:
            await publish(client)

    assert caught.value.http_status == 307
    assert len(served.seen) == 1


async def test_no_cookie_is_kept():
    """Two accounts on one session share nothing."""

    async def answer(_: web.Request) -> web.Response:
        response = web.json_response({"id": "1"})
        response.set_cookie("who", "first")
        return response

    async with platform(answer) as (client, served):
        await publish(client)
        await publish(client)

    assert [request.cookie for request in served.seen] == [None, None]


async def test_proxies_of_the_environment_are_ignored(monkeypatch):
    """A proxy set for the machine does not get to see calls."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with platform(says({"id": "1"})) as (client, _):
        assert await publish(client) == "1"


async def test_every_write_has_a_connection_of_its_own_and_reads_share():
    """A write never meets a pooled connection that the server is closing."""
    async with platform(says({"id": "1", "status_code": "FINISHED"})) as (client, served):
        for _ in range(3):
            await client.container_status(ACCOUNT, CONTAINER)
            await publish(client)

    reads = [request.peer for request in served.seen if request.method == "GET"]
    writes = [request.peer for request in served.seen if request.method == "POST"]
    assert len(set(reads)) == 1
    assert len(set(writes)) == 3
    assert not set(reads) & set(writes)


async def test_a_read_survives_a_pooled_connection_that_the_server_closed():
    """A stale connection costs a read nothing: it is sent again on a fresh one."""
    connections = 0

    async def one_answer_then_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{"status_code":"FINISHED"}')
        await read_request(reader)  # the next request on this connection is read, then it is dropped without an answer

    async with bare_server(one_answer_then_close) as address, open_graph_session() as session:
        client = client_of(session, f"http://{address}")
        for _ in range(2):
            assert (await client.container_status(ACCOUNT, CONTAINER)).code is ContainerCode.FINISHED

    assert connections == 2


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


@pytest.mark.parametrize("breaks", BREAKS_AFTER_SENDING, ids=lambda breaks: breaks.__name__)
async def test_what_breaks_after_the_request_left_is_unclear(breaks):
    """Dropped, reset, cut, garbled or late: the publish may have happened, and it was sent once."""
    connections = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await breaks(reader, writer)

    async with bare_server(count) as address, open_graph_session() as session:
        client = client_of(session, f"http://{address}", deadline_s=30, publish_deadline_s=0.3)
        with pytest.raises(GraphUnclearError):
            await publish(client)

    assert connections == 1


async def test_a_refused_connection_is_unreachable():
    """Nobody listens: certainly no effect."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        async with open_graph_session() as session:
            with pytest.raises(GraphUnreachableError, match="Connect call failed"):
                await publish(client_of(session, f"http://127.0.0.1:{port}"))


async def test_an_unknown_host_is_unreachable(monkeypatch):
    """No name, no connection, no effect."""

    async def no_such_host(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_such_host)
    async with open_graph_session() as session:
        with pytest.raises(GraphUnreachableError, match=r"graph\.invalid"):
            await publish(client_of(session, "http://graph.invalid"))


async def test_a_connect_timeout_is_unreachable():
    """A host that drops the handshake never saw the request."""
    with socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # fill the backlog, so that the next handshake stays unanswered
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        async with open_graph_session(connect_timeout_s=0.2) as session:
            with pytest.raises(GraphUnreachableError, match="no connection was made in time"):
                await publish(client_of(session, f"http://127.0.0.1:{listener.getsockname()[1]}"))


@pytest.mark.parametrize("breaks", [no_http, never_answer], ids=["no TLS", "silent"])
async def test_a_failed_tls_handshake_is_unreachable(breaks):
    """Before the handshake is done no byte of the request exists on the wire, even when the whole deadline ran out."""

    async def refuse_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if breaks is never_answer:
            await reader.read()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with bare_server(refuse_tls) as address, open_graph_session() as session:
        with pytest.raises(GraphUnreachableError):
            await publish(client_of(session, f"https://{address}", deadline_s=0.3))


async def test_waiting_for_a_free_connection_is_unreachable():
    """A publish that never got a connection was never sent."""
    sent, answer_now = asyncio.Event(), asyncio.Event()

    async def hold(_: web.Request) -> web.Response:
        sent.set()
        await answer_now.wait()
        return web.json_response({"id": "1"})

    served = Platform(hold)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", served.handle)
    async with TestServer(app) as server, open_graph_session(connections=1) as session:
        base_url = str(server.make_url("/"))
        first = asyncio.create_task(publish(client_of(session, base_url)))
        await asyncio.wait_for(sent.wait(), 10)
        with pytest.raises(GraphUnreachableError):
            await publish(client_of(session, base_url, deadline_s=0.2))
        answer_now.set()
        assert await first == "1"

    assert len(served.seen) == 1


async def test_publishing_has_a_deadline_of_its_own():
    """The short deadline of reads does not cut a publish."""
    read_given_up = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            await asyncio.Event().wait()
        await read_given_up.wait()
        return web.json_response({"id": "1"})

    async with platform(answer, deadline_s=0.1, publish_deadline_s=30) as (client, _):
        publishing = asyncio.create_task(publish(client))
        with pytest.raises(GraphUnclearError, match=r"0\.1 s have passed"):
            await client.container_status(ACCOUNT, CONTAINER)
        read_given_up.set()
        assert await publishing == "1"


async def test_every_exchange_is_observed_with_a_bounded_outcome():
    """Operation, outcome and seconds of success, refusal, silence and absence reach the observer."""
    observed: list[tuple[str, str]] = []

    def observe(operation: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        observed.append((operation, outcome))

    for answer in (says({"id": "1"}), refuses(code=9, error_subcode=2207042), says_text("<html>", 502)):
        async with platform(answer, observe=observe) as (client, _):
            with contextlib.suppress(InstagramError):
                await publish(client)
    async with open_graph_session() as session:
        with contextlib.suppress(InstagramError):
            await publish(client_of(session, "http://127.0.0.1:1", observe=observe))

    assert observed == [("publish_container", outcome) for outcome in ("ok", "quota", "unclear", "unreachable")]


async def test_a_canceled_call_stays_canceled():
    """Cancellation is never turned into an error of the platform."""
    observed: list[str] = []
    sent = asyncio.Event()

    async def hold(_: web.Request) -> web.Response:
        sent.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with platform(hold, observe=lambda _, outcome, __: observed.append(outcome)) as (client, _):
        call = asyncio.create_task(publish(client))
        await asyncio.wait_for(sent.wait(), 10)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert observed == ["canceled"]


async def test_a_session_that_cannot_tell_is_refused():
    """An ordinary session cannot say whether a byte was written, so no client is made on it."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="open_graph_session"):
            client_of(session, "http://127.0.0.1:1")


def everything_said(error: BaseException | None) -> str:
    """All text that a log, a debugger's view or an error tracker could make of an error and what hangs on it."""
    said = []
    while error is not None:
        said += [repr(error), str(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)]
        error = error.__cause__ or error.__context__
    return "\n".join(said)


async def test_the_token_is_in_no_error_and_no_log(caplog):
    """However a call fails, not even a message that quotes the token lets it out."""
    caplog.set_level(logging.DEBUG)
    errors: list[InstagramError] = []

    async def collect(client: GraphClient) -> None:
        for call in (publish(client), client.container_status(ACCOUNT, CONTAINER)):
            try:
                await call
            except InstagramError as error:
                errors.append(error)

    answers = [
        refuses(code=190, message=f"Malformed access token {TOKEN}", fbtrace_id=TOKEN),
        says_text(TOKEN, 502),
        says_text(TOKEN, 403),
        says({"id": f"/{TOKEN}", "data": TOKEN}),
    ]
    for answer in answers:
        async with platform(answer) as (client, _):
            await collect(client)
    for breaks in BREAKS_AFTER_SENDING:
        async with bare_server(breaks) as address, open_graph_session() as session:
            await collect(client_of(session, f"http://{address}", deadline_s=0.2))
    async with open_graph_session() as session:
        await collect(client_of(session, "http://127.0.0.1:1"))

    assert len(errors) == 2 * (len(answers) + len(BREAKS_AFTER_SENDING) + 1)
    assert not [text for text in map(everything_said, errors) if TOKEN in text]
    assert TOKEN not in caplog.text


async def test_the_token_is_not_in_a_containers_words():
    """A status text that quotes the token is cleaned like a message."""
    async with platform(says({"status_code": "ERROR", "status": f"Error: {TOKEN}"})) as (client, _):
        status = await client.container_status(ACCOUNT, CONTAINER)

    assert status.detail == "Error: [token]"
