"""What no retry can help is parked with all that is known of it."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from shared.jobs import (
    CheckAccount,
    JobPriority,
    JobType,
    Parcel,
    Permanent,
    Transient,
    get_job_options_by_type,
    new_job,
)
from shared.jobs.topology import JOBS

NOBODY = UUID("00000000-0000-7000-8000-000000000000")


@pytest.mark.parametrize(
    ("failure", "attempts", "reason"),
    [
        (Permanent("never_possible"), 5, "never_possible"),
        (Transient("still not"), 1, "exhausted"),
        (ZeroDivisionError("a bug"), 1, "exhausted"),
    ],
    ids=["permanent", "exhausted", "bug"],
)
async def test_a_job_that_cannot_succeed_is_parked_with_reason_and_error(running, failure, attempts, reason):
    """It leaves the queue and stays readable in the database."""

    async def fail(_job):
        raise failure

    running.script["doomed"] = fail
    options = get_job_options_by_type(JobType.HEALTH_CHECK)
    await running.add("doomed", options=replace(options, attempts=attempts))
    await running.relay()

    [parked] = await running.parked(1)
    assert (parked["type"], parked["subject"], parked["reason"]) == ("health:check", "doomed", reason)
    assert str(failure) in parked["error"]
    assert json.loads(parked["payload"])["account_id"] == str(NOBODY)


async def test_poison_is_parked_and_its_neighbours_are_served(running):
    """Not JSON, an unknown type, an unknown version, a wrong shape: the queue flows."""
    good = new_job(JobType.HEALTH_CHECK, CheckAccount(user_id=NOBODY, account_id=NOBODY), subject="x")
    headers = {**good.headers, "x-attempt": "1"}
    poisons = [
        ("now.health.health:check", b"not json", headers),
        ("now.health.unheard:of", good.payload, headers),
        ("now.health.health:check", good.payload, {**headers, "x-version": "99"}),
        ("now.health.health:check", b'{"user_id": 5}', headers),
        ("now.health.health:check", good.payload, {"sender": "somebody else"}),
    ]
    for number, (key, body, usual) in enumerate(poisons):
        own = {**usual, "x-job-id": f"poison-{number}"} if "sender" not in usual else usual
        await running.sender.publish(
            Parcel(exchange=JOBS, routing_key=key, body=body, headers=own, priority=JobPriority.HIGH)
        )
    await running.add("neighbour")
    await running.relay()

    parked = await running.parked(len(poisons))
    await running.wait_for(1)

    assert sorted(row["reason"] for row in parked) == [
        "undecodable",
        "undecodable",
        "unknown_version",
        "unreadable",
        "unreadable",
    ]
    assert await running.subjects() == ["neighbour"]
    assert any("somebody else" in row["headers"] for row in parked)


async def test_every_attempt_is_told_in_the_dead_letter(running):
    """Who looks at a dead job sees what went wrong each time, and when."""

    async def fail(job):
        raise Transient(f"failure {job.attempt}")

    running.script["doomed"] = fail
    options = get_job_options_by_type(JobType.HEALTH_CHECK)
    await running.add("doomed", options=replace(options, attempts=3, backoff_ms=10))
    async with running.relaying():
        [parked] = await running.parked(1)

    told = json.loads(parked["failures"])
    assert [(entry["attempt"], entry["error"]) for entry in told] == [(n, f"failure {n}") for n in (1, 2, 3)]
    assert sorted(entry["at"] for entry in told) == [entry["at"] for entry in told]


@pytest.mark.parametrize(
    "failure",
    [Permanent("x" * 200_000), Permanent("half \ud83d"), Transient("half \ud83d"), Transient("x" * 200_000)],
    ids=["long-reason", "half-reason", "half-error", "long-error"],
)
async def test_foreign_words_in_a_failure_never_keep_it_from_being_settled(running, failure):
    """They come from answers of others: too long for a frame, or no text at all."""

    async def fail(_job):
        raise failure

    running.script["doomed"] = fail
    options = get_job_options_by_type(JobType.HEALTH_CHECK)
    await running.add("doomed", options=replace(options, attempts=2, backoff_ms=1))
    async with running.relaying():
        [parked] = await running.parked(1)

    assert parked["subject"] == "doomed"
    assert len(running.seen) == (1 if isinstance(failure, Permanent) else 2)
