"""The benchmarks run: a few jobs through the real harness, processes and servers, so that they do not rot."""

import json
import re
from dataclasses import asdict, replace

import aio_pika
import psutil
import pytest
from click.testing import CliRunner

from benchmarks.bench import Bench
from benchmarks.jobs.drain import drain
from benchmarks.jobs.enqueue import enqueue
from benchmarks.jobs.memory import memory
from benchmarks.jobs.relay import relay
from benchmarks.jobs.retry import retry
from benchmarks.peers.protocol import Order
from benchmarks.processes import BenchmarkError, answering
from benchmarks.progress import Reporter
from benchmarks.rows import ratios
from benchmarks.servers import Servers
from benchmarks.subjects import BARE, INSTADISTRO, SUBJECTS
from deploy.cli.main import cli
from tests.waiting import until


@pytest.fixture
def bench(servers, database_url, redis_url):
    """The smallest run: the engine and the bare library, once, at one setting each, a few dozen jobs."""
    return Bench(
        servers=Servers(database=database_url, redis=redis_url, amqp=servers.amqp, management=servers.management),
        subjects=tuple(
            replace(subject, enqueue=subject.enqueue[:1], work=subject.work[:1])
            for subject in SUBJECTS
            if subject.package is None
        ),
        runs=1,
        scale=0.002,
        full=False,
        report=Reporter(None),
    )


async def test_enqueue_and_drain_measure_both_and_make_their_ratios(bench):
    """Each subject's jobs are really confirmed, done and acknowledged, and figures of one case are compared."""
    rows = [*await enqueue(bench), *await drain(bench)]

    cases = {"enqueue", "drain at prefetch 16", "drain"}
    assert {(row.case, row.subject) for row in rows} == {(case, name) for case in cases for name in (INSTADISTRO, BARE)}
    assert all(row.value > 0 and row.unit == "jobs/s" for row in rows)
    assert {(one.case, one.metric) for one in ratios(rows)} == {(case, "ratio_to_bare") for case in cases}


async def test_retry_measures_the_whole_delay(bench):
    """Jobs fail, wait on the ladder's step and come back; what is told is how far from 2 s that was."""
    rows = await retry(bench)

    assert {row.metric for row in rows} == {"error_p50", "error_p99"}
    assert all(0 < row.value < 2000 for row in rows)  # at 2,000 they would not have waited at all


async def test_relay_finds_the_critical_row_of_a_storm(bench):
    """All rows written are confirmed, and the critical one is found in its batch."""
    rows = {(row.case, row.metric): row.value for row in await relay(bench)}

    assert rows["relay, storm", "critical_batch"] == 1
    assert rows["relay, storm", "rows_per_s"] > 0
    assert rows["relay, steady", "late_p99"] > 0


async def test_memory_is_sampled_while_jobs_pass(bench):
    """The worker's memory is that of a living process, from early on to the end."""
    rows = {row.metric: row.value for row in await memory(bench)}

    assert rows["rss"] > 1
    assert abs(rows["rss_growth"]) < rows["rss"]


async def test_a_process_that_fails_is_one_error_with_its_last_words():
    """No figure is made up for it, and whoever reads the error knows why."""
    async with answering("a peer", "benchmarks.peers.bare_aio_pika", "{no order}") as process:
        with pytest.raises(BenchmarkError, match=r"(?s)a peer ended without an answer.*JSONDecodeError"):
            await process.answer(deadline_s=30)


async def test_no_process_outlives_the_harness(amqp_url):
    """A worker that is not finished ends with its context, and its children with it."""
    order = Order(
        role="consume",
        url=amqp_url,
        queue="bench",
        count=9,
        settings={"prefetch": 9, "processes": 2},
    )

    async def all_consume():
        async with await aio_pika.connect(amqp_url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("bench", durable=True)
            return queue.declaration_result.consumer_count == 2

    async with answering("a worker", "benchmarks.peers.bare_aio_pika", json.dumps(asdict(order))) as process:
        await until(all_consume, what="both processes of the worker")
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]

    assert len(family) == 2
    assert not any(member.is_running() for member in family)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "there is no suite nothing; there are jobs, cache, pagination, indexes, publishing, api, "),
        (["jobs", "--case", "nothing"], "there is no case nothing; there are enqueue, drain, "),
        (["cache", "--case", "drain"], "there is no case drain; there are hits, hit_rate, "),
        (["--scale", "0"], "Invalid value for '--scale'"),
    ],
    ids=["suite", "case", "case of another suite", "scale"],
)
def test_a_run_that_cannot_be_is_refused_before_anything_starts(arguments, told):
    """A wrong word costs no minutes."""
    answer = CliRunner().invoke(cli, ["bench", *arguments])

    assert answer.exit_code == 2
    assert told in re.sub(r"\s+", " ", answer.output)
