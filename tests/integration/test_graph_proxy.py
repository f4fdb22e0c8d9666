"""Calls through an account's own proxy: what reached the platform is known as exactly as without one."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Literal

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.instagram import (
    Egress,
    GraphAccount,
    GraphClient,
    GraphUnclearError,
    GraphUnreachableError,
    InstagramError,
    open_graph_session,
)
from tests.forward_proxy import ForwardProxy, forward_proxy
from tests.platforms import ACCOUNT, CONTAINER, Handler, Platform, client_of, everything_said, says
from tests.trusted_tls import server_context
from tests.waiting import until

USER, PASSWORD = "shop", "proxy-password-of-nobody"
ANSWER = {"id": "1", "status_code": "FINISHED"}


@dataclass
class Way:
    """From a client through a proxy to a platform."""

    client: GraphClient
    proxy: ForwardProxy
    platform: Platform
    account: GraphAccount

    def account_with(self, **changes) -> GraphAccount:
        assert self.account.proxy is not None
        return replace(self.account, proxy=replace(self.account.proxy, **changes))

    async def publish(self, account: GraphAccount | None = None) -> str:
        return await self.client.publish_container(account or self.account, CONTAINER)

    async def read(self, account: GraphAccount | None = None) -> None:
        await self.client.container_status(account or self.account, CONTAINER)


@pytest.fixture(scope="module")
def contexts(tmp_path_factory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return server_context(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def way_of(contexts, monkeypatch):
    """Ways over any mix of TLS and none, whose certificates are trusted."""
    serving, trusting = contexts
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", trusting)

    @asynccontextmanager
    async def way(
        target: str,
        proxy_scheme: Literal["http", "https"] = "http",
        *,
        answer: Handler | None = None,
        deadline_s: float = 20,
    ) -> AsyncIterator[Way]:
        served = Platform(answer or says(ANSWER))
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", served.handle)
        server = TestServer(app, scheme=target)
        await server.start_server(ssl=serving if target == "https" else None)
        tls = serving if proxy_scheme == "https" else None
        async with (
            server,
            forward_proxy(tls=tls, credentials=(USER, PASSWORD)) as proxy,
            open_graph_session() as session,
        ):
            egress = Egress(scheme=proxy_scheme, host="127.0.0.1", port=proxy.port, username=USER, password=PASSWORD)
            client = client_of(session, f"{target}://127.0.0.1:{server.port}", deadline_s=deadline_s)
            yield Way(client, proxy, served, replace(ACCOUNT, proxy=egress))

    return way


@pytest.mark.parametrize("proxy_scheme", ["http", "https"])
@pytest.mark.parametrize("target", ["http", "https"])
async def test_every_call_of_the_account_leaves_through_its_proxy(way_of, target, proxy_scheme):
    """With credentials for the proxy that the platform never sees; a tunnel shows the proxy nothing of the call."""
    async with way_of(target, proxy_scheme) as way:
        assert await way.publish() == "1"
        await way.read()

        methods = ["CONNECT", "CONNECT"] if target == "https" else ["POST", "GET"]
        assert [asked.method for asked in way.proxy.asked] == methods
        assert [request.method for request in way.platform.seen] == ["POST", "GET"]
        assert {request.authorization for request in way.platform.seen} == {f"Bearer {ACCOUNT.access_token}"}
        assert not any("Proxy-Authorization" in request.headers for request in way.platform.seen)
        tunneled = {asked.headers.get("authorization") for asked in way.proxy.asked}
        assert tunneled == ({None} if target == "https" else {f"Bearer {ACCOUNT.access_token}"})


@pytest.mark.parametrize("target", ["http", "https"])
async def test_a_proxy_nobody_answers_at_is_the_egress_s_failure(way_of, target):
    """Certainly nothing was sent, and the platform is not to blame."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        async with way_of(target) as way:
            with pytest.raises(GraphUnreachableError, match="Check the account's proxy") as caught:
                await way.publish(way.account_with(port=free.getsockname()[1]))

        assert caught.value.through_proxy
        assert way.platform.seen == []


async def test_a_proxy_whose_name_is_unknown_is_the_egress_s_failure(way_of):
    """The platform's name is the proxy's to resolve, so that a name not found is the proxy's own."""
    async with way_of("https") as way:
        with pytest.raises(GraphUnreachableError) as caught:
            await way.publish(way.account_with(host="no-such-proxy.invalid"))

    assert caught.value.through_proxy


@pytest.mark.parametrize("status", [403, 407, 502, 503])
async def test_a_refused_tunnel_sent_nothing(way_of, status):
    """Whatever a proxy answers to CONNECT but 200, the call stayed here."""
    async with way_of("https") as way:
        way.proxy.refuses_with = status
        with pytest.raises(GraphUnreachableError, match=f"HTTP {status}") as caught:
            await way.publish()

    assert caught.value.through_proxy
    assert way.platform.seen == []


async def test_wrong_credentials_sent_nothing_to_a_plain_platform_either(way_of):
    """The proxy got the request and answered 407 in its own name: the platform got nothing."""
    async with way_of("http") as way:
        with pytest.raises(GraphUnreachableError, match="does not accept the credentials") as caught:
            await way.publish(way.account_with(password="another"))

    assert caught.value.through_proxy
    assert way.platform.seen == []


async def test_a_proxy_s_failure_on_a_plain_request_is_unclear(way_of):
    """Without a tunnel nobody can tell whether a 502 comes from before or behind the platform."""
    async with way_of("http") as way:
        way.proxy.refuses_with = 502
        with pytest.raises(GraphUnclearError):
            await way.publish()


async def test_a_tunnel_that_dies_before_tls_sent_nothing(way_of):
    """CONNECT was answered, but no byte of the request was written."""
    async with way_of("https") as way:
        way.proxy.dies_after_connect = True
        with pytest.raises(GraphUnreachableError) as caught:
            await way.publish()

    assert caught.value.through_proxy
    assert way.platform.seen == []


async def test_a_silent_proxy_sent_nothing(way_of):
    """A deadline that ends while CONNECT waits for its answer is certain, unlike one that ends after the request."""
    async with way_of("https", deadline_s=0.5) as way:
        way.proxy.silent = True
        with pytest.raises(GraphUnreachableError) as caught:
            await way.publish()

    assert caught.value.through_proxy


async def test_a_tunnel_cut_after_the_request_is_unclear(way_of):
    """The platform had it: whether it was done, nobody knows."""
    ways: list[Way] = []

    async def cut(_: web.Request) -> web.Response:
        ways[0].proxy.cut()
        return web.json_response(ANSWER)

    async with way_of("https", answer=cut) as way:
        ways.append(way)
        with pytest.raises(GraphUnclearError):
            await way.publish()

        assert len(way.platform.seen) == 1


async def test_a_platform_that_fails_behind_a_proxy_is_not_the_egress_s_failure(way_of):
    """A 407 out of the tunnel is the platform's own, and a request it got is never called unsent."""
    async with way_of("https", answer=says({}, 407)) as way:
        with pytest.raises(InstagramError) as caught:
            await way.publish()

    assert not isinstance(caught.value, GraphUnreachableError)


async def test_no_two_egresses_share_a_connection(way_of):
    """Pooled connections serve the same proxy with the same credentials only, and no call that uses none."""
    async with way_of("https") as way:
        other = way.account_with(username="other")
        for account in (way.account, way.account, ACCOUNT, ACCOUNT):
            await way.read(account)
        assert len(way.proxy.asked) == 1
        assert len({request.peer for request in way.platform.seen}) == 2

        with pytest.raises(GraphUnreachableError, match="HTTP 407"):
            await way.read(other)
        assert len(way.proxy.asked) == 2


async def test_waiting_for_a_connection_is_not_the_egress_s_failure(way_of):
    """A call that never got its turn says nothing about the proxy."""
    async with way_of("https") as way, open_graph_session(connections=1) as session:

        async def asked() -> bool:
            return bool(way.proxy.asked)

        way.proxy.silent = True
        patient = client_of(session, "https://127.0.0.1:9", deadline_s=20)
        hasty = client_of(session, "https://127.0.0.1:9", deadline_s=0.3)
        holding = asyncio.create_task(patient.publish_container(way.account, CONTAINER))
        await until(asked, what="the first call at the proxy")
        with pytest.raises(GraphUnreachableError) as caught:
            await hasty.publish_container(way.account, CONTAINER)
        way.proxy.cut()
        with pytest.raises(GraphUnreachableError):
            await holding

    assert not caught.value.through_proxy


async def test_the_credentials_of_a_proxy_are_in_no_text(way_of, caplog):
    """Neither the egress nor an error nor a log shows them, as they are or encoded."""
    caplog.set_level(logging.DEBUG)
    said = []
    async with way_of("https") as way:
        account = way.account_with(password=PASSWORD + "x")
        said.append(repr(account))
        for status, account_used in ((None, account), (502, way.account)):
            way.proxy.refuses_with = status
            with pytest.raises(GraphUnreachableError) as caught:
                await way.publish(account_used)
            said.append(everything_said(caught.value))

    shown = "\n".join(said) + caplog.text
    encoded = aiohttp.encode_basic_auth(USER, PASSWORD).removeprefix("Basic ")
    assert PASSWORD not in shown
    assert encoded not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"scheme": "socks5"},
        {"host": ""},
        {"host": "a/b"},
        {"host": "a@b"},
        {"port": 0},
        {"port": 65_536},
        {"username": "a:b"},
    ],
)
def test_an_egress_that_cannot_be_used_is_refused(wrong):
    """A proxy is checked where it is named, not at its first call."""
    fitting = {"scheme": "http", "host": "127.0.0.1", "port": 3128}

    with pytest.raises(ValueError, match="proxy"):
        Egress(**fitting | wrong)
