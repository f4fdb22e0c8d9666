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
    assert list(line.pop("checkpoints")) == ["authenticated", "read", "handled"]
    assert line == {
        "event": "request.slow",
        "log_level": "warning",
        "request_id": "slow-request",
        "method": "GET",
        "route": "/v1/accounts",
        "status": 200,
    }


async def test_every_request_leaves_one_line_that_tells_whose_it_was(alice):
    """Route, status, times, what the cache said and whose key it was; nothing of the path, the query or the key."""
    await alice.get("/v1/accounts")
    with capture_logs(processors=[merge_contextvars]) as logs:
        await alice.get("/v1/accounts", headers={"X-Request-ID": "one-request"})
        await alice.get("/v1/nothing/private")
        await alice.get("/healthz")

    known, unknown, probe = [line for line in logs if line["event"] == "request.done"]
    times = {name: known.pop(name) for name in ("duration_ms", "db_ms", "queries")}
    assert all(value >= 0 for value in times.values())
    assert known == {
        "event": "request.done",
        "log_level": "info",
        "request_id": "one-request",
        "method": "GET",
        "route": "/v1/accounts",
        "status": 200,
        "cache": "hit",
        "tenant": alice.user_id,
        "actor": alice.api_key.split("_")[1],
    }
    assert (unknown["route"], unknown["status"], unknown["tenant"]) == ("unmatched", 404, None)
    assert (probe["route"], probe["log_level"]) == ("/healthz", "debug")


async def test_an_answer_tells_where_its_time_went(alice):
    """Time in the database and in the gateway, and whether the cache had it."""
    missed = await alice.get("/v1/accounts")
    cached = await alice.get("/v1/accounts")

    timing = re.compile(r"db;dur=(\d+\.\d\d)(?:, cache;desc=(\w+))?, app;dur=(\d+\.\d\d)")
    before, after = (timing.fullmatch(answer.headers["Server-Timing"]) for answer in (missed, cached))
    assert before is not None
    assert after is not None
    assert (before[2], after[2]) == ("miss", "hit")
    assert float(before[1]) > 0
    assert float(after[1]) == 0
