"""One trace from the request to the log lines of the job it led to."""

from __future__ import annotations

import asyncio
import json

import pytest
import structlog
from multidict import CIMultiDict
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from shared.jobs import Consumer, Handler, JobType, PublishPublication, Sender, declare_topology, open_session
from shared.outbox import drain_once
from shared.trace import add_trace_id

TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADER = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
async def accounts(alice):
    return await alice.add_accounts(1)


@pytest.fixture
async def post(alice):
    return await alice.add_post()


async def publish(gateway, client, post, accounts, *traces):
    """Publish now, with these headers; answers those of the message that this leaves in the outbox."""
    url = f"{client.url}/v1/posts/{post}/publish"
    body = {"account_ids": accounts, "allow_duplicate": True}
    headers = CIMultiDict([("Authorization", f"Bearer {client.api_key}"), *(("traceparent", one) for one in traces)])
    async with client.http.post(url, json=body, headers=headers) as response:
        answer = await response.json()
    assert response.status == 202, answer
    [row] = await gateway.rows(
        "SELECT headers FROM outbox WHERE type = 'post:publish' AND subject = $1", answer["publications"][0]
    )
    return json.loads(row["headers"])


async def work_off(pool, amqp_url, run):
    """Send what the outbox holds to a publisher with this handler, and wait until it has run once."""
    ran, stop = asyncio.Event(), asyncio.Event()

    async def once(job, _payload):
        await run(job)
        ran.set()

    async with open_session((amqp_url,), name="test") as session:
        await declare_topology(session.connection)
    sender = Sender((amqp_url,), name="test-sender")
    consumer = Consumer(
        service="publisher",
        urls=(amqp_url,),
        slots=1,
        handlers={JobType.POST_PUBLISH: Handler(payload=PublishPublication, run=once)},
        sender=sender,
        pool=pool,
        drain_s=5.0,
    )
    task = asyncio.create_task(consumer.run(stop))
    await drain_once(pool, sender.send_rows, batch=10)
    await asyncio.wait_for(ran.wait(), 30)
    stop.set()
    await task
    await sender.close()


async def test_a_request_s_trace_reaches_the_logs_of_its_job(gateway, alice, accounts, post, amqp_url):
    """The caller's trace id stands in the outbox row, and on every line the handler logs; the span is a new one."""
    log = structlog.get_logger()

    async def run(_job):
        log.info("test.ran")

    headers = await publish(gateway, alice, post, accounts, HEADER)
    with capture_logs(processors=[merge_contextvars, add_trace_id]) as logs:
        await work_off(gateway.deps.pool, amqp_url, run)

    assert headers["traceparent"].split("-")[1] == TRACE
    assert headers["traceparent"] != HEADER
    [line] = [line for line in logs if line["event"] == "test.ran"]
    assert line["trace_id"] == TRACE
    assert line["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize(
    "given",
    [[], ["not a trace"], [HEADER, HEADER]],
    ids=["none", "invalid", "two"],
)
async def test_a_request_without_a_usable_trace_begins_one(given, gateway, alice, accounts, post):
    """Every request can be followed; two requests are two traces."""
    first = await publish(gateway, alice, post, accounts, *given)
    second = await publish(gateway, alice, post, accounts, *given)

    traces = {headers["traceparent"].split("-")[1] for headers in (first, second)}
    assert len(traces) == 2
    assert TRACE not in traces
