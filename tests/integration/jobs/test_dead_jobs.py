"""Dead letters in their table: parked once, with all they carried; looked at in pages; let go."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import structlog
from uuid_utils.compat import uuid7

from shared.database import create_pool
from shared.jobs import (
    DEAD_QUEUE,
    DeadFilter,
    JobPriority,
    Parcel,
    Permanent,
    Transient,
    count_dead,
    create_low_priority_job_options,
    discard,
    discard_many,
    list_dead,
    read_dead,
)
from shared.jobs.topology import DEAD
from tests.dead_jobs import NOON, bury
from tests.waiting import until


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


def letter(type_="health:check", *, body=b"{}", priority=JobPriority.HIGH, **headers):
    """A dead letter as a consumer sends it; `job_id` stands for the header `x-job-id`."""
    named = {f"x-{name.replace('_', '-')}": value for name, value in headers.items()}
    return Parcel(exchange=DEAD, routing_key=type_, body=body, headers=named, priority=priority)


async def test_a_dead_job_keeps_every_attempt_and_all_it_carried(running):
    """Who looks at it sees what each run said, and the row's id is the job's own."""

    async def fail(job):
        raise Transient(f"failure {job.attempt}")

    running.script["doomed"] = fail
    options = create_low_priority_job_options(attempts=3, backoff=0)
    job = await running.add("doomed", options=options)
    await running.relay()
    await running.parked(1)

    dead = await read_dead(running.pool, UUID(job.id))

    assert dead is not None
    assert (dead.type, dead.subject, dead.reason, dead.attempt) == ("health:check", "doomed", "exhausted", 3)
    assert (dead.priority, json.loads(dead.payload)) == (JobPriority.LOW, json.loads(job.payload))
    assert [(failure.attempt, failure.error) for failure in dead.failures] == [
        (number, f"failure {number}") for number in (1, 2, 3)
    ]
    assert dead.headers.items() >= {"x-job-id": job.id, "x-version": "1", "x-attempts": "3"}.items()


async def test_a_letter_that_comes_twice_makes_one_row(engine):
    """An acknowledgement that was lost, or a job that ran twice, shows as one dead job; so does what was no job."""
    job_id = str(uuid7())
    for parcel in (
        letter(job_id=job_id, dead_error="first"),
        letter(job_id=job_id, dead_error="again"),
        letter("unreadable", body=b"\x00", routing_key="now.a.b"),
        letter("unreadable", body=b"\x00", routing_key="now.a.b"),
        letter("unreadable", body=b"\x00", routing_key="now.a.c"),
    ):
        await engine.sender.publish(parcel)

    parked = await engine.parked(3)

    assert sorted(row["type"] for row in parked) == ["health:check", "unreadable", "unreadable"]
    assert [row["error"] for row in parked if row["id"] == UUID(job_id)] == ["first"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"dead_error": "a\0b", "subject": "s\0"}, {"error": "ab", "subject": "s"}),
        ({"failures": "not json", "attempt": "many"}, {"failures": "[]", "attempt": 1}),
        ({"failures": '[{"attempt": 1, "at": "2026-01-31T12:00:00", "error": "no offset"}]'}, {"failures": "[]"}),
        ({"attempt": "9" * 5_000}, {"attempt": 1}),
        ({"dead_reason": "r" * 9_000}, {"reason": "r" * 200}),
        ({"job_id": "no uuid"}, {"reason": "unknown"}),
    ],
    ids=["nul", "garbage", "naive-time", "huge-number", "long-reason", "foreign-id"],
)
async def test_whatever_a_letter_says_it_is_parked_and_nothing_of_it_is_lost(engine, headers, expected):
    """What has no place in a column stays in the headers; the queue never stands still for one letter."""
    parcel = letter(body=b"\xff\0", priority=None, **headers)
    await engine.sender.publish(parcel)

    [row] = await engine.parked(1)

    kept = json.loads(row["headers"])
    assert {name: row[name] for name in expected} == expected
    assert (row["payload"], row["priority"]) == (b"\xff\0", JobPriority.NORMAL)
    assert kept == {name: value.replace("\0", "") for name, value in parcel.headers.items()}


async def test_a_storm_of_letters_is_parked_whole(engine):
    """More than the broker hands over at a time, and nothing stays in the queue."""
    await engine.sender.publish_many([letter(job_id=str(uuid7()), attempt="5") for _ in range(450)])

    parked = await engine.parked(450)

    assert {row["attempt"] for row in parked} == {5}
    assert (await engine.sender.depths())[DEAD_QUEUE] == 0


async def test_letters_wait_for_a_database_that_cannot_take_them(engine):
    """They are the last trace of their jobs."""
    await engine.pool.execute("ALTER TABLE dead_jobs RENAME TO away")
    await engine.sender.publish(letter(job_id=str(uuid7())))

    async def refused():
        return any(entry["event"] == "dead_jobs.not_parked" for entry in logs)

    with structlog.testing.capture_logs() as logs:
        async with engine.parking():
            await until(refused, what="a refused insert")
            await engine.pool.execute("ALTER TABLE away RENAME TO dead_jobs")
            await until(lambda: engine.pool.fetch("SELECT FROM dead_jobs"), what="the parked letter")

    assert (await engine.sender.depths())[DEAD_QUEUE] == 0


async def test_pages_show_every_dead_job_once_newest_first(pool):
    """Also where many died at the same moment."""
    apart = await bury(pool, 3)
    together = [id_ for _ in range(5) for id_ in await bury(pool, died_at=NOON - timedelta(days=1))]

    seen, before = [], None
    while page := await list_dead(pool, DeadFilter(), limit=3, before=before):
        seen += page
        before = (page[-1].died_at, page[-1].id)

    assert [job.id for job in seen] == [*reversed(apart), *sorted(together, reverse=True)]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (DeadFilter(), {"a", "b", "c"}),
        (DeadFilter(type="health:check"), {"a", "b"}),
        (DeadFilter(reason="deadline"), {"b", "c"}),
        (DeadFilter(subject="c"), {"c"}),
        (DeadFilter(died_after=NOON), {"a", "b"}),
        (DeadFilter(died_before=NOON), {"c"}),
        (DeadFilter(type="health:check", reason="deadline", died_after=NOON), {"b"}),
        (DeadFilter(subject="'; DROP TABLE dead_jobs; --"), set()),
    ],
    ids=["all", "type", "reason", "subject", "since", "until", "together", "none"],
)
async def test_a_filter_means_the_same_wherever_it_is_used(pool, which, found):
    """Listing, counting and discarding agree; `died_after` includes its moment, `died_before` does not."""
    await bury(pool, headers={"x-subject": "a"})
    await bury(pool, reason="deadline", headers={"x-subject": "b"})
    earlier = NOON - timedelta(seconds=1)
    await bury(pool, reason="deadline", type_="post:publish", died_at=earlier, headers={"x-subject": "c"})

    listed = await list_dead(pool, which, limit=10)
    counted = await count_dead(pool, which)
    gone = await discard_many(pool, which, limit=10)

    assert {job.subject for job in listed} == found
    assert sum(group.count for group in counted) == gone == len(found)


async def test_counts_tell_how_many_died_of_what_and_since_when(pool):
    """The most frequent first."""
    await bury(pool, 1, reason="deadline")
    await bury(pool, 3)

    often, seldom = await count_dead(pool, DeadFilter())

    assert (often.type, often.reason, often.count) == ("health:check", "exhausted", 3)
    assert (often.oldest, often.newest) == (NOON, NOON + timedelta(minutes=2))
    assert (seldom.reason, seldom.count) == ("deadline", 1)


async def test_discarding_by_id_says_which_were_there(pool):
    """One that is gone already is no error, and no other is touched."""
    gone, kept = await bury(pool, 2)

    async with pool.acquire() as connection, connection.transaction():
        discarded = await discard(connection, [gone, uuid4()])

    assert discarded == {gone}
    assert await read_dead(pool, gone) is None
    assert await read_dead(pool, kept) is not None


async def test_discarding_many_takes_the_oldest_up_to_the_limit(pool):
    """A dry run only counts them."""
    ids = await bury(pool, 5)

    dry = await discard_many(pool, DeadFilter(), limit=2, dry_run=True)
    gone = await discard_many(pool, DeadFilter(), limit=2)

    left = await list_dead(pool, DeadFilter(), limit=10)
    assert (dry, gone) == (2, 2)
    assert [job.id for job in reversed(left)] == ids[2:]


async def test_discarding_goes_on_beyond_a_batch_and_ends_at_what_dies_meanwhile(pool):
    """Progress is told after each batch; a job that is dead only from a later moment on is not meant."""
    await bury(pool, 700)
    [later] = await bury(pool, died_at=datetime.now(UTC) + timedelta(hours=1))
    told: list[int] = []

    gone = await discard_many(pool, DeadFilter(), limit=10_000, progress=told.append)

    [left] = await list_dead(pool, DeadFilter(), limit=10)
    assert (gone, told, left.id) == (700, [500, 200], later)


async def test_a_handler_s_own_reason_is_the_reason_of_the_dead_job(running):
    """`Permanent` says why in its own word."""

    async def refuse(_job):
        raise Permanent("account_gone")

    running.script["refused"] = refuse
    await running.add("refused")
    await running.relay()
    await running.parked(1)

    [dead] = await list_dead(running.pool, DeadFilter(reason="account_gone"), limit=1)

    assert [failure.error for failure in dead.failures] == ["account_gone"]
