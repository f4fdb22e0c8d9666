"""What is added, in which order and as what it arrives, in memory as on the real servers."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from structlog.contextvars import bound_contextvars

from shared.jobs import (
    Again,
    JobPriority,
    JobType,
    Payload,
    Transient,
    create_critical_job_options,
    create_high_priority_job_options,
    create_normal_job_options,
)
from shared.trace import bound_trace
from tests.integration.jobs.conformance.drivers import Errand, ran

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


class Titled(Payload, frozen=True, kw_only=True):
    """An errand of the first version."""

    title: str = "bread"


class FromTheFuture(Errand, frozen=True, kw_only=True):
    """An errand of a version that nobody here knows."""

    VERSION = 3


class Misshapen(Payload, frozen=True, kw_only=True):
    """Not what the handler wants, whatever its version says."""

    name: int = 5
    VERSION = 2


class Opaque(Payload, frozen=True, kw_only=True):
    """Holds what no JSON can."""

    anything: Any


async def test_the_most_urgent_waiting_job_runs_first_and_equals_take_turns(driver):
    """Whatever was added before it, in whichever way."""
    driver.handle()
    driver.handle(job_type=JobType.HEALTH_MONITOR)
    usual = create_normal_job_options()
    for name in ("first", "second"):
        for priority in (3, 5, 1, 4, 2):
            await driver.add(name, replace(usual, priority=JobPriority(priority)))
    await driver.add("third", job_type=JobType.HEALTH_MONITOR)
    await driver.add_kept("urgent", create_critical_job_options())

    await driver.finish(runs=12)

    assert [(run.priority, run.name) for run in driver.runs] == [
        (1, "first"),
        (1, "second"),
        (1, "urgent"),
        (2, "first"),
        (2, "second"),
        (3, "first"),
        (3, "second"),
        (4, "first"),
        (4, "second"),
        (4, "third"),
        (5, "first"),
        (5, "second"),
    ]


async def test_a_job_that_asks_to_come_again_at_once_lets_the_more_urgent_go_first(driver):
    """It stands in line anew."""

    async def step_back(_job):
        if len(driver.runs) == 1:
            await driver.add("urgent", create_critical_job_options())
            return Again(delay_ms=0)
        return None

    driver.handle(step_back)
    await driver.add("polite")

    await driver.finish(runs=3)

    assert [run.name for run in driver.runs] == ["polite", "urgent", "polite"]


async def test_a_delay_comes_before_the_first_run(driver):
    """With or without a transaction; the options and the payload are those that were given."""
    driver.handle()
    before_ms = int(driver.now_ms())
    await driver.add("plain", create_critical_job_options(delay=60, attempts=7, backoff=30, cap=90, jitter=0.5))
    await driver.add_kept("kept", create_normal_job_options(delay=60))

    await driver.finish(runs=2)

    assert [run.name for run in driver.runs] == ["plain", "kept"]
    driver.check_times([began_ms - before_ms for began_ms in driver.began_ms], [60, 60])
    assert driver.jobs[0].options == create_critical_job_options(attempts=7, backoff=30, cap=90, jitter=0.5)


@pytest.mark.parametrize(
    ("job_type", "payload", "reason"),
    [
        (JobType.TOKEN_REFRESH, Errand(name="refresh"), "unknown_type"),
        (JobType.HEALTH_CHECK, Misshapen(), "undecodable"),
        (JobType.HEALTH_CHECK, FromTheFuture(name="later"), "unknown_version"),
    ],
    ids=["no handler", "not of the shape", "newer than the handler"],
)
async def test_what_cannot_be_read_is_parked_and_its_neighbour_runs(driver, job_type, payload, reason):
    """The queue flows."""
    driver.handle()
    await driver.queue.add(job_type, payload)
    await driver.add("neighbour")

    await driver.finish(runs=1, dead=1)

    [dead] = driver.dead
    assert driver.runs == ran("neighbour", 1)
    assert (dead.type, dead.reason, dead.headers["x-version"]) == (job_type, reason, str(payload.VERSION))
    assert msgspec.json.decode(dead.payload) == msgspec.to_builtins(payload)


async def test_an_older_payload_is_upcast(driver):
    """Jobs of the version before wait in queues while a new one is deployed."""
    driver.handle()
    await driver.queue.add(JobType.HEALTH_CHECK, Titled(title="bread"))

    await driver.finish(runs=1)

    assert driver.runs == ran("bread, once a title", 1)


async def test_a_payload_that_cannot_travel_is_refused_when_it_is_added(driver):
    """Not by a worker at night."""
    driver.handle()

    with pytest.raises(TypeError, match="Encoding objects of type object is unsupported"):
        await driver.queue.add(JobType.HEALTH_CHECK, Opaque(anything=object()))

    await driver.finish()


async def test_a_unique_key_adds_once_while_its_job_waits_and_again_after(driver):
    """The one that waits is the one that runs."""
    driver.handle()
    waiting = create_high_priority_job_options(unique_key="only-me", delay=40)
    first = await driver.add_kept("first", waiting)
    second = await driver.add_kept("second", waiting)
    await driver.reach(runs=1)
    third = await driver.add_kept("third", waiting)

    await driver.finish(runs=2)

    assert second is None
    assert [job.id for job in driver.jobs] == [first, third]
    assert [job.subject for job in driver.jobs] == ["only-me"] * 2
    assert driver.runs == ran("first", 1) + ran("third", 1)


async def test_a_job_to_be_tried_again_gives_way_to_another_of_its_key(driver):
    """What waits there was added later and speaks for both."""

    async def add_another_and_fail(_job):
        if len(driver.runs) == 1:
            # Not sent before the first is back in the outbox, however slow the machine.
            await driver.add_kept("another", replace(options, delay_ms=1_500))
            raise Transient("not yet")

    driver.handle(add_another_and_fail)
    options = create_high_priority_job_options(unique_key="only-me", backoff=7)
    await driver.add_kept("first", options)

    await driver.finish(runs=2)

    assert driver.runs == ran("first", 1) + ran("another", 1)


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([Errand()], "unique_key needs tx=...: only the database can enforce it"),
        ([Errand()] * 2, "a unique_key names one job; add them one by one, each with its own"),
    ],
    ids=["without a transaction", "for several jobs"],
)
async def test_a_unique_key_that_cannot_be_kept_is_refused(driver, items, text):
    """With what to change; nothing is added."""
    driver.handle()

    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole text is compared
        await driver.queue.add_many(JobType.HEALTH_CHECK, items, create_normal_job_options(unique_key="x"))

    await driver.finish()
    assert str(refused.value) == text
    assert driver.runs == []


async def test_what_a_handler_adds_goes_on_in_its_request_and_trace(driver):
    """From the first caller to the last job."""

    async def follow_up(_job):
        if len(driver.runs) == 1:
            await driver.add("follow-up")

    driver.handle(follow_up)
    with bound_contextvars(request_id="req-1"), bound_trace(TRACE):
        await driver.add("first")

    await driver.finish(runs=2)

    assert [job.headers["x-request-id"] for job in driver.jobs] == ["req-1", "req-1"]
    assert {job.headers["traceparent"].split("-")[1] for job in driver.jobs} == {TRACE.split("-")[1]}
