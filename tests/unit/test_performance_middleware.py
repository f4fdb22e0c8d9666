from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from structlog.testing import capture_logs

from shared.performance import middleware, performance_middleware, tell_response_time


class Clock:
    """Seconds that pass when a handler says so."""

    now = 0.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(middleware, "time", clock)
    return clock


@pytest.fixture
async def client(clock):
    """A client of a small server whose requests take as long as they say."""

    async def plain(request):
        clock.now += float(request.query["s"])
        if request.query.get("end") == "refused":
            raise web.HTTPForbidden
        if request.query.get("end") == "crashed":
            raise RuntimeError("a defect")
        return web.Response()

    async def stream(request):
        response = web.StreamResponse()
        await response.prepare(request)
        clock.now += float(request.query["s"])
        await response.write(b"done")
        return response

    async def sign(request, response):
        tell_response_time(request, response)

    app = web.Application(middlewares=[performance_middleware])
    app.on_response_prepare.append(sign)
    app.router.add_get("/plain/{id}", plain)
    app.router.add_get("/stream", stream)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize("end", ["answered", "refused", "crashed"])
async def test_every_answer_tells_its_time(client, end):
    """Success, refusal and crash alike carry the milliseconds they took."""
    answer = await client.get("/plain/7", params={"s": "0.25", "end": end})

    assert answer.headers["X-Response-Time"] == "250.00ms"


async def test_a_stream_tells_the_time_until_it_began(client):
    """Its headers are gone long before it ends."""
    answer = await client.get("/stream", params={"s": "3600"})

    assert answer.headers["X-Response-Time"] == "0.00ms"
    assert await answer.read() == b"done"


@pytest.mark.parametrize(("end", "status"), [("answered", 200), ("refused", 403), ("crashed", None)])
async def test_a_slow_request_is_logged_by_its_route(client, end, status):
    """Over one second is slow, however it ended; neither the path's values nor the query are in the log."""
    with capture_logs() as logs:
        await client.get("/plain/7", params={"s": "1.0", "end": end})
        await client.get("/plain/7", params={"s": "1.5", "end": end})

    assert [line for line in logs if line["event"] == "request.slow"] == [
        {
            "event": "request.slow",
            "log_level": "warning",
            "method": "GET",
            "route": "/plain/{id}",
            "status": status,
            "duration_ms": 1500,
            "checkpoints": {},
        }
    ]


async def test_a_stream_that_lasts_is_not_slow(client):
    """What began at once was not waited for."""
    with capture_logs() as logs:
        await client.get("/stream", params={"s": "3600"})

    assert logs == []


def test_what_reached_no_middleware_took_no_time():
    """An answer to something that was never a request carries the header all the same."""
    response = web.Response()

    tell_response_time(make_mocked_request("GET", "/"), response)

    assert response.headers["X-Response-Time"] == "0.00ms"
