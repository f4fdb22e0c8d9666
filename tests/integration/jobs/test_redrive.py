"""Dead jobs sent back: a new life with nothing lost, each once, and a reason for every one that stays."""

import asyncio
import importlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.database import create_pool
from shared.jobs import (
    CheckAccount,
    DeadFilter,
    JobPriority,
    JobType,
    Redriven,
    Refused,
    Transient,
    create_low_priority_job_options,
    list_dead,
    new_job,
    read_dead,
    redrive,
    redrive_many,
    to_outbox,
)
from shared.jobs.redrive import NOT_JSON, UNKNOWN, UNREADABLE, WAITS
from shared.outbox import append, drain_once
from tests.dead_jobs import NOON, bury

NOBODY = UUID("00000000-0000-7000-8000-000000000000")
# What cannot be sent back, and why.
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "unreadable": ({"type_": "unreadable"}, UNREADABLE),
    "unknown-type": ({"type_": "unheard:of"}, UNREADABLE),
    "bad-version": ({"headers": {"x-version": "new"}}, UNREADABLE),
    "bad-options": ({"headers": {"x-attempts": "0"}}, UNREADABLE),
    "bad-lives": ({"headers": {"x-redriven": "often"}}, UNREADABLE),
    "text": ({"payload": b"not json"}, NOT_JSON),
    "empty": ({"payload": b""}, NOT_JSON),
    "no-utf-8": ({"payload": b"\xff"}, NOT_JSON),
    "nul": ({"payload": b'"\\u0000"'}, NOT_JSON),
    "huge-exponent": ({"payload": b"1e-99999999"}, NOT_JSON),
    "deep": ({"payload": b"[" * 100_000}, NOT_JSON),
}


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


async def send_back(pool, ids, **options):
    async with pool.acquire() as connection, connection.transaction():
        return await redrive(connection, ids, **options)


async def waiting(pool):
    """The subjects in the outbox."""
    return [row["subject"] for row in await pool.fetch("SELECT subject FROM outbox ORDER BY id")]


async def dead(pool):
    """The ids of the dead jobs, oldest first."""
    return [job.id for job in reversed(await list_dead(pool, DeadFilter(), limit=1_000))]


async def test_a_redriven_job_runs_again_as_it_was_with_all_its_attempts_before_it(running):
    """Id, payload, priority, options and trace survive; what belonged to the old life does not."""

    async def fail(_job):
        raise Transient("not today")

    running.script["reborn"] = fail
    options = create_low_priority_job_options(attempts=2, backoff=0, cap=7_000, jitter=0.5, deadline=3_600_000)
    job = await running.add("reborn", options=options)
    await running.relay()
    await running.parked(1)
    (_, payload), _ = running.seen
    running.script.clear()
    running.seen.clear()

    report = await send_back(running.pool, [UUID(job.id)])
    await running.relay()
    await running.wait_for(1)

    [(again, payload_again)] = running.seen
    assert report == Redriven(count=1, refused=[])
    assert (again.id, again.subject, again.version, again.attempt) == (job.id, "reborn", 1, 1)
    assert payload_again == payload
    assert (again.options.priority, again.options.attempts) == (JobPriority.LOW, 2)
    assert (again.options.backoff_ms, again.options.cap_ms, again.options.jitter) == (0, 7_000, 0.5)
    assert again.headers["traceparent"] == job.headers["traceparent"]
    assert again.headers["x-redriven"] == "1"
    assert not {"x-failures", "x-deadline", "x-dead-reason"} & again.headers.keys()
    assert await dead(running.pool) == []


async def test_a_job_that_dies_again_is_a_dead_job_again_with_its_new_life_s_attempts(running):
    """And the number of its lives goes on."""

    async def fail(job):
        raise Transient(f"life {job.headers.get('x-redriven', 0)}")

    running.script["unlucky"] = fail
    job = await running.add("unlucky", options=create_low_priority_job_options(attempts=1))
    async with running.parking():
        for life in (0, 1, 2):
            await running.relay()
            await running.wait_for(life + 1)
            [row] = await running.parked(1)
            told = [failure["error"] for failure in json.loads(row["failures"])]
            assert (row["id"], told) == (UUID(job.id), [f"life {life}"])
            assert (await send_back(running.pool, [row["id"]])).count == 1


async def test_the_oldest_of_those_that_are_meant_go_up_to_the_limit(pool):
    """Others are not touched."""
    ids = await bury(pool, 3)
    [other] = await bury(pool, type_="post:publish", died_at=NOON - timedelta(days=1))

    report = await redrive_many(pool, DeadFilter(type="health:check"), limit=2)

    assert report == Redriven(count=2, refused=[])
    assert await waiting(pool) == [str(id_) for id_ in ids[:2]]
    assert await dead(pool) == [other, ids[2]]


async def test_a_dry_run_reports_the_same_and_changes_nothing(pool):
    """Refusals included, within a batch and beyond it."""
    batches = importlib.import_module("shared.jobs.redrive")
    ids = await bury(pool, 3)
    twins = await bury(pool, 2, died_at=NOON + timedelta(days=1), headers={"x-subject": "twin"})
    [poison] = await bury(pool, payload=b"no", died_at=NOON + timedelta(days=2))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "_BATCH", 2)
        dry = await redrive_many(pool, DeadFilter(), limit=100, dry_run=True)
        before = await dead(pool), await waiting(pool)
        done = await redrive_many(pool, DeadFilter(), limit=100)

    assert before == ([*ids, *twins, poison], [])
    assert dry == done
    assert done.refused == [Refused(id=twins[1], reason=WAITS), Refused(id=poison, reason=NOT_JSON)]


async def test_a_rate_spreads_the_jobs_over_time(pool):
    """Ten a second: each is due a tenth of a second after the one before."""
    await bury(pool, 4)

    await redrive_many(pool, DeadFilter(), limit=100, rate_per_s=10)

    due = await pool.fetch("SELECT extract(epoch FROM due_at)::float8 AS at FROM outbox ORDER BY id")
    assert [round(row["at"] - due[0]["at"], 3) for row in due] == [0.0, 0.1, 0.2, 0.3]


async def test_a_rate_that_would_never_end_is_refused(pool):
    """Before anything is sent back."""
    [id_] = await bury(pool)

    with pytest.raises(ValueError, match="at least"):
        await redrive_many(pool, DeadFilter(), limit=1, rate_per_s=0.001)

    assert await dead(pool) == [id_]


@pytest.mark.parametrize(("fault", "reason"), FAULTS.values(), ids=FAULTS)
async def test_what_cannot_be_sent_back_stays_with_the_reason_and_keeps_nobody_back(pool, fault, reason):
    """One bad row costs its neighbours nothing."""
    before, after = await bury(pool, 2)
    [bad] = await bury(pool, died_at=NOON + timedelta(seconds=30), **fault)

    report = await redrive_many(pool, DeadFilter(), limit=100)

    assert report == Redriven(count=2, refused=[Refused(id=bad, reason=reason)])
    assert await waiting(pool) == sorted([str(before), str(after)])
    assert await dead(pool) == [bad]


async def test_a_job_that_waits_already_is_not_doubled(pool):
    """The newer one speaks for the same subject; the dead one stays until that is sent."""
    [id_] = await bury(pool, headers={"x-subject": "busy"})
    payload = CheckAccount(user_id=NOBODY, account_id=NOBODY)
    await append(pool, [to_outbox(new_job(JobType.HEALTH_CHECK, payload, subject="busy"))])

    async def confirm(rows):
        return {row.id for row in rows}

    refused = await send_back(pool, [id_])
    await drain_once(pool, confirm, batch=10)
    sent = await send_back(pool, [id_])

    assert refused == Redriven(count=0, refused=[Refused(id=id_, reason=WAITS)])
    assert sent == Redriven(count=1, refused=[])


async def test_a_copy_of_the_dead_job_that_waits_itself_is_not_taken_for_its_new_life(pool):
    """A message that was delivered twice may be dead and wait for a retry at once."""
    [id_] = await bury(pool, headers={"x-subject": "twice"})
    payload = CheckAccount(user_id=NOBODY, account_id=NOBODY)
    copy = new_job(JobType.HEALTH_CHECK, payload, subject="twice").with_headers(job_id=str(id_))
    await append(pool, [to_outbox(copy)])

    report = await send_back(pool, [id_])

    assert report.refused == [Refused(id=id_, reason=WAITS)]
    assert await dead(pool) == [id_]


async def test_an_id_that_is_unknown_is_named_and_the_others_go(pool):
    """Somebody else may have sent it back a moment ago."""
    [id_] = await bury(pool)
    unknown = uuid4()

    report = await send_back(pool, [unknown, id_, id_])

    assert report == Redriven(count=1, refused=[Refused(id=unknown, reason=UNKNOWN)])


async def test_two_who_redrive_at_once_send_each_job_once(pool):
    """Whoever holds a row has it; the other passes it by."""
    ids = await bury(pool, 40)

    reports = await asyncio.gather(*(redrive_many(pool, DeadFilter(), limit=100) for _ in range(3)))

    assert sum(report.count for report in reports) == len(ids)
    assert sorted(await waiting(pool)) == sorted(str(id_) for id_ in ids)


async def test_a_redrive_ends_although_jobs_go_on_dying(pool):
    """A job that is dead only from a later moment on is not meant."""
    [later] = await bury(pool, died_at=datetime.now(UTC) + timedelta(hours=1))

    report = await redrive_many(pool, DeadFilter(), limit=100)

    assert report == Redriven(count=0, refused=[])
    assert await dead(pool) == [later]


async def test_a_transaction_that_is_rolled_back_leaves_the_job_dead(pool):
    """Out of the dead and into the outbox are one step."""
    [id_] = await bury(pool)

    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await redrive(connection, [id_])
        await transaction.rollback()

    assert await waiting(pool) == []
    assert await read_dead(pool, id_) is not None


async def test_what_may_have_killed_its_workers_runs_alone_in_its_new_life(pool):
    """Its neighbours must not die with it a third time."""
    [killer] = await bury(pool, reason="crash_loop")
    [harmless] = await bury(pool, headers={"x-suspect": "1"})

    await send_back(pool, [killer, harmless])

    rows = await pool.fetch("SELECT subject FROM outbox WHERE headers ? 'x-suspect'")
    assert [row["subject"] for row in rows] == [str(killer)]
