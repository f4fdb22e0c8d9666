"""Guarded fetches against a server on loopback, which only its exempt origin may reach."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.security import BodyTooLargeError, FetchFailedError, Origin, UnsafeUrlError, fetch_guarded

PICTURE = bytes(range(256)) * 40


class LoopbackResolver:
    """Every name is this machine."""

    def __init__(self):
        self.asked = []

    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
        self.asked.append((host, port))
        found = await asyncio.get_running_loop().getaddrinfo("127.0.0.1", port, family=family, type=socket.SOCK_STREAM)
        return [
            {"hostname": host, "host": address[0], "port": port, "family": kind, "proto": proto, "flags": 0}
            for kind, _, proto, _, address in found
        ]

    async def close(self):
        raise AssertionError("a resolver belongs to whoever made it")


class Site:
    """What the server holds, and what it was asked for."""

    def __init__(self):
        self.requests: Counter[str] = Counter()
        self.headers = {}
        self.release = asyncio.Event()

    async def answer(self, request):
        self.requests[request.path] += 1
        self.headers = request.headers
        match request.path:
            case "/picture":
                return web.Response(body=PICTURE, content_type="image/jpeg")
            case "/chunked":
                return await self.stream(request)
            case "/to":
                return web.Response(status=302, headers={"Location": request.query_string})
            case "/lost":
                return web.Response(status=302)
            case "/loop":
                return web.Response(status=307, headers={"Location": "/loop"})
            case "/packed":
                return web.Response(body=b"x", headers={"Content-Encoding": "gzip"})
            case "/hang":
                await self.release.wait()
        return web.Response(status=404)

    async def stream(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(PICTURE)
        await response.write(PICTURE)
        await response.write_eof()
        return response


@pytest.fixture
async def site():
    return Site()


@pytest.fixture
async def server(site):
    application = web.Application()
    application.router.add_get("/{path:.*}", site.answer)
    async with TestServer(application, host="127.0.0.1") as server:
        yield server
        site.release.set()


@pytest.fixture
def fetched():
    """What has been written of the latest fetch."""
    return bytearray()


@pytest.fixture
def fetch(server, fetched):
    """Fetch a path of the server, or a whole URL, with the server's origin exempt."""

    async def fetch_one(url, *, max_bytes=1_000_000, deadline_s=20, exempt=None, resolver=None):
        own = f"http://127.0.0.1:{server.port}"

        async def write(chunk):
            fetched.extend(chunk)

        fetched.clear()
        return await fetch_guarded(
            own + url if url.startswith("/") else url,
            write,
            exempt=[Origin.of(own)] if exempt is None else exempt,
            max_bytes=max_bytes,
            deadline_s=deadline_s,
            resolver=resolver,
        )

    return fetch_one


async def test_a_body_comes_with_its_type_and_place(fetch, fetched, server):
    """A fetch through a redirect returns the bytes, the type the server names and where they were found."""
    body = await fetch("/to?/picture")

    assert fetched == PICTURE
    assert body.size == len(PICTURE)
    assert body.content_type == "image/jpeg"
    assert body.final_url == f"http://127.0.0.1:{server.port}/picture"


async def test_ones_own_origin_is_exempt_by_name_too(fetch, fetched, server):
    """A public URL with a name that leads inside is reachable, and is looked up once for its connection."""
    resolver, own = LoopbackResolver(), f"http://own.test:{server.port}"

    await fetch(f"{own}/picture", exempt=[Origin.of(own)], resolver=resolver)

    assert fetched == PICTURE
    assert resolver.asked == [("own.test", server.port)]


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/picture", "https://127.0.0.1:{port}/picture"])
async def test_nothing_inside_is_reached_without_exemption(fetch, server, site, url):
    """Without an exemption the server on loopback does not hear of the attempt."""
    with pytest.raises(UnsafeUrlError):
        await fetch(url.format(port=server.port), exempt=[])

    assert not site.requests


async def test_a_name_that_leads_inside_is_refused_when_connecting(fetch):
    """A name whose address turns out to be inner is refused at the connection, not before it."""
    resolver = LoopbackResolver()

    with pytest.raises(UnsafeUrlError, match=r"rebind\.example\.test"):
        await fetch("https://rebind.example.test/picture", resolver=resolver)

    assert resolver.asked == [("rebind.example.test", 443)]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:1/x",
        "https://127.0.0.1/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://2130706433/x",
        "https://rebind.example.test/x",
        "//127.0.0.2/x",
        "file:///etc/passwd",
        "http://[::1",
        "http://user@127.0.0.1:{port}/picture",
    ],
)
async def test_a_redirect_is_held_to_the_same_rules(fetch, server, site, target):
    """A redirect into this network, to another scheme or with a login is refused, though the first URL was allowed."""
    target = target.format(port=server.port)

    with pytest.raises(UnsafeUrlError):
        await fetch(f"/to?{quote(target, safe=':/@[]')}", resolver=LoopbackResolver())

    assert site.requests == {"/to": 1}


async def test_redirects_end(fetch, site):
    """A URL that redirects for ever is given up after three redirects, and one that says no target at once."""
    with pytest.raises(FetchFailedError, match="more than 3 times"):
        await fetch("/loop")
    with pytest.raises(FetchFailedError, match="without saying where"):
        await fetch("/lost")

    assert site.requests["/loop"] == 4


@pytest.mark.parametrize("path", ["/picture", "/chunked"])
async def test_a_body_over_the_limit_is_refused(fetch, fetched, path):
    """A body is refused once it exceeds the limit, whether the server tells its length or not."""
    with pytest.raises(BodyTooLargeError) as refused:
        await fetch(path, max_bytes=len(PICTURE) - 1)

    assert refused.value.code == "media_too_large"
    assert len(fetched) < len(PICTURE)


async def test_a_body_of_exactly_the_limit_is_accepted(fetch):
    """The limit itself is allowed."""
    assert (await fetch("/picture", max_bytes=len(PICTURE))).size == len(PICTURE)


async def test_what_the_taker_of_a_body_raises_ends_the_fetch(server):
    """A full disk, say, is told as what it is."""

    async def write(_chunk):
        raise FileExistsError

    own = f"http://127.0.0.1:{server.port}"
    with pytest.raises(FileExistsError):
        await fetch_guarded(f"{own}/picture", write, exempt=[Origin.of(own)], max_bytes=1_000_000, deadline_s=20)


@pytest.mark.parametrize(("path", "reason"), [("/none", "status 404"), ("/packed", "compressed")])
async def test_an_answer_without_a_usable_body_is_told(fetch, path, reason):
    """The client learns what was wrong with the answer, under a stable code."""
    with pytest.raises(FetchFailedError, match=reason) as failed:
        await fetch(path)

    assert failed.value.code == "media_unreachable"


async def test_a_server_that_never_answers_is_given_up(fetch):
    """A fetch ends at its deadline."""
    with pytest.raises(FetchFailedError, match=r"within 0\.2 s"):
        await fetch("/hang", deadline_s=0.2)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:1/x", "takes no connection"),
        ("http://" + "a" * 70 + ".test:1/x", "name is not known"),
        ("http://no-such-name.invalid:1/x", "name is not known"),
    ],
)
async def test_a_place_where_nobody_listens_is_told(fetch, url, told):
    """A refused connection and a name that DNS does not know are failures of the fetch, told in words of their own."""
    with pytest.raises(FetchFailedError, match=told):
        await fetch(url, exempt=[Origin.of(url)])


async def test_nothing_of_this_system_is_sent_along(fetch, site):
    """The request carries no cookie, no credential and no offer to compress."""
    await fetch("/picture")

    assert site.headers["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & set(site.headers)
