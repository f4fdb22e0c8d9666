"""How the gateway tells of its own speed: a header for clients, a log line and a report for operators."""

from __future__ import annotations

import asyncio
import re

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from shared.performance import middleware

TIME = re.compile(r"\d+\.\d\dms")


@pytest.fixture
async def operator(gateway):
    return await gateway.client("operator@example.com", operator=True)


async def test_the_report_is_for_operators(alice, operator):
    """An operator's key gets the report of the process that answers; nobody else's sees that there is one."""
    await alice.get("/v1/accounts")

    report = await operator.get("/v1/performance")
    hidden = await alice.get("/v1/performance")
    nothing = await alice.get("/v1/nothing")

    assert report.status == 200
    assert {"uptime", "memory_usage", "query_stats"} <= set(report.body)
    assert report.headers["Cache-Control"] == "private, no-cache"
    assert hidden.status == 404
    assert {**hidden.body, "request_id": ""} == {**nothing.body, "request_id": ""}
    assert (await operator.get("/v1/performance?verbose=true")).status == 422


async def test_streams_and_broken_requests_tell_their_time_too(gateway, alice, make_picture):
    """A picture, whose headers go out before its bytes, carries the header; so does the answer to what is no HTTP."""
    media = await alice.upload(make_picture())
    path = media.body["url"].removeprefix(gateway.deps.settings.public_url)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    writer.write(b"GET /v1/me HTTP/1.1\r\nbroken header\r\n\r\n")

    broken = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    picture = await alice.get(path)

    assert TIME.fullmatch(picture.headers["X-Response-Time"])
    assert re.search(rb"\r\nX-Response-Time: \d+\.\d\dms\r\n", broken)


async def test_a_slow_request_is_logged_with_its_request_id(alice, monkeypatch):
    """The line leads to everything else that was logged of the request, and holds nothing that the client wrote."""
    monkeypatch.setattr(middleware, "_SLOW_MS", 0.0)
    with capture_logs(processors=[merge_contextvars]) as logs:
        await alice.get("/v1/accounts?tag=private", headers={"X-Request-ID": "slow-request"})

    [line] = [line for line in logs if line["event"] == "request.slow"]
    assert line.pop("duration_ms") >= 0
    assert line == {
        "event": "request.slow",
        "log_level": "warning",
        "request_id": "slow-request",
        "method": "GET",
        "route": "/v1/accounts",
        "status": 200,
    }
