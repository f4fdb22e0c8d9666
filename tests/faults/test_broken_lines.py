"""The line between worker and broker breaks, or loses what it should carry: work goes on, and nothing is lost."""

from urllib.parse import urlsplit

import pytest

from tests.faults.line import Line, Method
from tests.faults.worker import Errand
from tests.proxy import listening
from tests.waiting import until

SLOTS = 8
# So that a deaf consumer is found out within a second.
WATCH_S = 0.2
DEAF = 'instadistro_deaf_consumers_total{service="health"}'


@pytest.fixture
async def line(ground):
    """The worker's line to the broker; the test itself has another."""
    parts = urlsplit(ground.amqp_url)
    async with listening(Line(host=parts.hostname or "", port=parts.port or 0)) as line:
        yield line


async def test_a_line_cut_again_and_again_under_load_loses_nothing(ground, line):
    """The worker connects anew by itself, and its jobs end."""
    jobs = await ground.add(*[Errand(lasts_s=number % 5 / 100) for number in range(300)])

    async with kept(ground, line):
        for ended in (50, 120, 200):
            await ground.until_ended(ended)
            line.cut()
        await ground.until_ended(jobs)

    assert len(ground.lives) == 1
    assert await ground.dead() == []
    assert await ground.waiting() == []


async def test_jobs_whose_line_was_cut_are_no_suspects_of_the_worker_that_still_runs_them(ground, line):
    """They come again and begin beside their first runs: nobody died."""
    ground.hold()
    jobs = await ground.add(*[Errand(holds=True)] * (SLOTS // 2))

    async with kept(ground, line):
        await ground.until_started(len(jobs))
        line.cut()
        await ground.until_started(len(jobs), times=2)
        ground.release()
        await ground.until_ended(jobs)

    assert await ground.dead() == []
    assert await ground.waiting() == []


async def test_jobs_whose_acknowledgements_were_lost_are_no_suspects_either(ground, line):
    """They are done and come again all the same; the worker knows them and counts no start."""
    await ground.pool.execute(WATCH_STARTS)
    line.swallowed = {Method.ACK}
    jobs = await ground.add(*[Errand()] * SLOTS)

    async with kept(ground, line):
        await ground.until_ended(jobs)
        await until(line.has_swallowed, what="acknowledgements on the line")
        line.swallowed = set()
        line.cut()
        await ground.until_started(len(jobs), times=2)

    assert await ground.waiting() == []
    assert await ground.pool.fetchval("SELECT count(*) FROM counted_starts") == 0


async def test_a_consumer_that_gets_no_deliveries_is_found_out_and_made_anew(ground, line):
    """The connection lives, the broker sends, and nothing arrives: the watchdog begins again in the same process."""
    line.swallowed = {Method.DELIVER}
    jobs = await ground.add(*[Errand()] * (3 * SLOTS))

    async with kept(ground, line, watch_s=WATCH_S):
        await until(deaf(ground), what="the notice of a deaf consumer")
        line.swallowed = set()
        await ground.until_ended(jobs)

    assert len(ground.lives) == 1
    assert await ground.waiting() == []


async def test_a_consumer_that_was_canceled_without_a_word_is_found_out_and_made_anew(ground, line):
    """The queue was deleted, and the broker's notice of it is lost."""
    line.swallowed = {Method.CANCEL}

    async with kept(ground, line, watch_s=WATCH_S):
        await ground.ready()
        await ground.delete_queue()
        await until(deaf(ground), what="the notice of a deaf consumer")
        line.swallowed = set()
        jobs = await ground.add(*[Errand()] * SLOTS)
        await ground.until_ended(jobs)

    assert line.swallows == 1
    assert len(ground.lives) == 1


async def test_a_worker_that_stays_deaf_ends_for_its_supervisor_to_begin_anew(ground, line):
    """Three sessions without a delivery are the end of the process; the next one does the work."""
    line.swallowed = {Method.DELIVER}
    jobs = await ground.add(*[Errand()] * (3 * SLOTS))

    async with kept(ground, line, watch_s=WATCH_S):
        await ground.until_lives(2)
        line.swallowed = set()
        await ground.until_ended(jobs)

    assert [process.returncode for process in ground.lives] == [1, 0]
    assert "after 3 sessions" in (ground.directory / "log").read_text()


WATCH_STARTS = """
    CREATE TABLE counted_starts (LIKE job_starts);
    CREATE FUNCTION count_start() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO counted_starts SELECT NEW.*; RETURN NEW; END $$;
    CREATE TRIGGER count_start AFTER INSERT OR UPDATE ON job_starts FOR EACH ROW EXECUTE FUNCTION count_start();
"""


def kept(ground, line, **orders):
    return ground.kept(slots=SLOTS, amqp_url=line.reroute(ground.amqp_url), **orders)


def deaf(ground):
    async def noticed():
        return await ground.metric(DEAF)

    return noticed
