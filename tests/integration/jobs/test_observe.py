"""What the scheduler measures of queues and outbox, on real servers."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

import pytest
from aio_pika.exceptions import ChannelNotFoundEntity
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.scheduler import observe
from services.scheduler.ask_management import open_management
from services.scheduler.probe_lanes import LaneProbes
from shared import metrics
from shared.jobs import (
    JobPriority,
    create_critical_job_options,
    create_low_priority_job_options,
    declare_topology,
    keep_session,
)
from shared.jobs.topology import RETRY_QUEUES, work_queue
from shared.outbox import backlog
from tests.waiting import until

QUEUE = work_queue("health")
LANES = [priority.name.lower() for priority in JobPriority]


@pytest.fixture(autouse=True)
def _nothing_measured():
    """What a test reads, it has measured itself."""
    metrics.queue_depth.clear()
    metrics.queue_oldest_age_seconds.clear()


def depth(priority, *, queue=QUEUE):
    """What /metrics shows; None if it shows nothing."""
    return REGISTRY.get_sample_value("instadistro_queue_depth", {"queue": queue, "priority": priority})


def oldest_age(priority, *, queue=QUEUE):
    return REGISTRY.get_sample_value("instadistro_queue_oldest_age_seconds", {"queue": queue, "priority": priority})


@asynccontextmanager
async def observing(engine, *, management=None, missing=None):
    """The scheduler's observer at work, faster than in life."""
    stop = asyncio.Event()
    urls = (engine.amqp_url,)
    observer = observe.QueueObserver(
        urls=urls, probes=LaneProbes(), management=management, every_s=0.05, on_missing=missing
    )
    use = partial(observer.observe, stop=stop)
    task = asyncio.create_task(keep_session(urls, name="test-observer", stop=stop, use=use))
    try:
        yield
    finally:
        stop.set()
        await task


async def add_backlog(engine):
    """Two critical jobs and one low one, in a queue nobody serves."""
    async with await engine.broker() as connection:
        await declare_topology(connection)
    for name in ("first", "second"):
        await engine.add(name, options=create_critical_job_options())
    await engine.add("third", options=create_low_priority_job_options())
    await engine.relay()


async def test_without_the_management_api_the_depth_is_that_of_the_queue(engine):
    """It stands under `all`, and our own probes are not in it."""
    await add_backlog(engine)

    async with observing(engine):

        async def settled():
            return depth("all") == 3 and (oldest_age("critical") or 0) > 0

        await until(settled, what="the depth of the queue, with a probe in each lane")

        assert await engine.depth() == 3 + len(LANES)
        assert [depth(lane) for lane in LANES] == [None] * len(LANES)
        assert [depth("all", queue=queue.name) for queue in RETRY_QUEUES] == [0.0] * len(RETRY_QUEUES)


async def test_a_service_that_is_down_ages_in_every_lane_and_one_that_is_up_does_not(engine):
    """The age of a lane nobody serves only grows; the first probe that is answered after that ends it."""
    async with observing(engine):
        await until(partial(_older_than, 0.2), what="lanes that grow older")
        async with engine.consuming():

            async def young():
                return all(0 < (oldest_age(lane) or 1) < 0.2 for lane in LANES)

            await until(young, what="lanes that are served")


async def _older_than(age_s):
    return all((oldest_age(lane) or 0) > age_s for lane in LANES)


async def test_the_management_api_tells_the_depth_by_priority(engine, servers):
    """It stands under each priority, zeros included, without our own probes; and no longer under `all`."""
    await add_backlog(engine)
    metrics.queue_depth.labels(QUEUE, "all").set(3)  # as it stood while the API could not be asked

    async def settled():
        return [depth(lane) for lane in LANES] == [2.0, 0.0, 0.0, 1.0, 0.0]

    async with (
        open_management(servers.management, amqp_url=engine.amqp_url) as management,
        observing(engine, management=management),
    ):
        await until(settled, what="the depth of each lane, which the broker renews every 5 s")

    assert depth("all") is None


@pytest.mark.parametrize("fault", ["closed-port", "wrong-password", "not-the-api"])
async def test_a_management_api_that_does_not_help_is_told_once(fault, engine, servers):
    """Nothing is raised, and the depth of queues is still known as a whole."""
    await add_backlog(engine)
    parts = urlsplit(servers.management)
    url = {
        "closed-port": "http://user:password@127.0.0.1:9",
        "wrong-password": parts._replace(netloc=f"user:wrong@{parts.hostname}:{parts.port}").geturl(),
        "not-the-api": f"http://user:password@127.0.0.1:{urlsplit(servers.amqp).port}",
    }[fault]

    with capture_logs() as logs:
        async with (
            open_management(url, amqp_url=engine.amqp_url) as management,
            observing(engine, management=management),
        ):

            async def counted():
                return depth("all") == 3

            await until(counted, what="the depth of the whole queue")
            assert management is not None
            assert await management.count_by_priority() == {}

    [told] = [line for line in logs if line["event"] == "management.no_answer"]
    assert "AMQP_MANAGEMENT_URL" in told["error"]
    assert "password" not in json.dumps(logs)


async def test_an_observed_queue_that_is_deleted_is_made_again_and_reported(engine):
    """The observer is no more than a witness, and still the loss is acted upon."""
    missing = []

    async def note(queues):
        missing.extend(queues)

    async with observing(engine, missing=note):
        await until(partial(_older_than, 0), what="probes")
        missing.clear()
        async with await engine.broker() as connection:
            await (await connection.channel()).queue_delete(QUEUE)

        async def reported():
            return QUEUE in missing

        await until(reported, what="the report")
        await until_probed(engine)


async def until_probed(engine):
    async def probed():
        # Told of first, declared then: for a moment it is not there.
        with suppress(ChannelNotFoundEntity):
            return await engine.depth() == len(LANES)
        return False

    await until(probed, what="new probes in the new queue")


async def fill_outbox(pool, *, rows, due):
    await pool.execute(
        f"""
        INSERT INTO outbox (type, subject, exchange, routing_key, priority, payload, headers, due_at)
        SELECT 'test', gen_random_uuid()::text, 'jobs', 'k', 1 + i % 5, '{{}}', '{{}}', {due}
        FROM generate_series(1, $1) AS i
        """,  # noqa: S608 - the test's own expression
        rows,
    )


async def test_the_outbox_is_measured_by_what_is_due(engine):
    """Rows of the future are a timetable, not a backlog."""
    await fill_outbox(engine.pool, rows=7, due="now() - interval '90 seconds'")
    await fill_outbox(engine.pool, rows=20, due="now() + interval '1 hour'")

    await observe.observe_outbox_once(engine.pool)

    assert REGISTRY.get_sample_value("instadistro_outbox_due") == 7
    assert 90 <= (REGISTRY.get_sample_value("instadistro_outbox_oldest_due_age_seconds") or 0) < 150


async def test_an_empty_outbox_has_no_age(engine):
    """The gauges fall back when everything was sent."""
    await observe.observe_outbox_once(engine.pool)

    assert REGISTRY.get_sample_value("instadistro_outbox_due") == 0
    assert REGISTRY.get_sample_value("instadistro_outbox_oldest_due_age_seconds") == 0


async def test_measuring_the_outbox_reads_none_of_the_future(engine):
    """However many rows wait for their time, five looks into the index find what is due."""
    await fill_outbox(engine.pool, rows=20_000, due="now() + interval '1 hour'")
    await fill_outbox(engine.pool, rows=3, due="now() - interval '1 hour'")
    await engine.pool.execute("VACUUM ANALYZE outbox")

    explained = await engine.pool.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {backlog._BACKLOG}")  # noqa: SLF001

    scans = [plan for plan in _plans(json.loads(explained)[0]["Plan"]) if plan.get("Relation Name") == "outbox"]
    assert [(scan["Node Type"], scan["Index Name"]) for scan in scans] == [("Index Only Scan", "outbox_due")]
    assert scans[0]["Actual Rows"] * scans[0]["Actual Loops"] <= 5


def _plans(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from _plans(child)
