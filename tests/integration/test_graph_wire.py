"""Connections and deadlines of the client: what a failure lets one conclude."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.instagram import ContainerCode, GraphError, GraphUnclearError, GraphUnreachableError, open_graph_session
from tests.platforms import (
    ACCOUNT,
    BREAKS_AFTER_SENDING,
    CONTAINER,
    Platform,
    bare_server,
    client_of,
    never_answer,
    no_http,
    platform,
    publish,
    read_request,
    says,
)


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
