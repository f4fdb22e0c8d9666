"""The commands that look after jobs, as an operator runs them."""

import asyncio
import json
from uuid import uuid4

import pytest
from click.testing import CliRunner

from deploy.cli.main import cli
from shared.jobs import (
    CheckAccount,
    JobType,
    Misfire,
    Recurring,
    RepeatRule,
    Sender,
    add_recurring,
    get_job_options_by_type,
)

SOME_ID = "01900000-0000-7000-8000-000000000000"


async def test_stats_tell_what_was_done_what_waits_and_what_died(operator, amqp_url):
    """One look at the whole engine, for people and for programs."""
    await operator.bury(reason="odd [/reason]")
    await operator.pool.execute(
        "INSERT INTO job_stats (worker, type, completed, failed, active) VALUES ('w', 'health:check', 7, 2, 1)"
    )
    await operator.pool.execute(
        """
        INSERT INTO outbox (type, subject, exchange, routing_key, priority, payload, headers, due_at)
        VALUES ('t', 'due', 'jobs', 'k', 1, '{}', '{}', now() - interval '1 hour'),
               ('t', 'later', 'jobs', 'k', 1, '{}', '{}', now() + interval '1 hour')
        """
    )
    sender = Sender((amqp_url,), name="test")
    await sender.ready()  # the queues are there, as in a system that runs
    await sender.close()

    (status, told, _), (_, text, _) = await asyncio.gather(
        operator.start("stats", "--json", AMQP_URL=amqp_url), operator.start("stats", AMQP_URL=amqp_url)
    )

    seen = json.loads(told)
    [dead] = seen["dead"]
    assert status == 0
    assert seen["types"] == {"health:check": {"completed": 7, "failed": 2, "active": 1}}
    assert seen["queues"].items() >= {"jobs.health.v1": 0, "jobs.dead.v1": 0}.items()
    assert (seen["outbox"]["due"], seen["outbox"]["oldest_s"] >= 3_600) == (1, True)
    assert (dead["type"], dead["reason"], dead["count"]) == ("health:check", "odd [/reason]", 1)
    assert all(word in text for word in ("jobs.publisher.v1", "odd [/reason]"))
    assert "Outbox: 1 due" in text


async def test_stats_are_told_although_the_broker_is_away(operator):
    """That is when they are asked for."""
    status, said, complained = await operator.start("stats", "--json")

    assert (status, json.loads(said)["queues"]) == (0, None)
    assert "The queues are not known" in complained


async def test_recurring_jobs_are_listed_paused_resumed_and_run(operator):
    """By the name that the list shows."""
    check = Recurring(
        name="health:check:1",
        type=JobType.HEALTH_CHECK,
        payload=json.dumps({"user_id": str(uuid4()), "account_id": str(uuid4())}).encode(),
        version=CheckAccount.VERSION,
        rule=RepeatRule(every_ms=3_600_000),
        options=get_job_options_by_type(JobType.HEALTH_CHECK),
    )
    rule = RepeatRule(cron="0 9 * * 1", zone="Europe/Berlin", misfire=Misfire.SKIP)
    weekly = Recurring(
        name="weekly",
        type=JobType.CLEANUP_OLD_JOBS,
        payload=b"{}",
        version=1,
        rule=rule,
        options=get_job_options_by_type(JobType.CLEANUP_OLD_JOBS),
    )
    async with operator.pool.acquire() as connection, connection.transaction():
        await add_recurring(connection, [check, weekly])

    _, text, _ = await operator.run("recurring")
    _, listed = await operator.json("recurring", "--type", "cleanup:old_jobs")
    paused = await operator.run("pause", "weekly")
    _, shown, _ = await operator.run("recurring")
    resumed, ran = await operator.run("resume", "weekly"), await operator.run("run", "health:check:1")

    assert "health:check:1  every 3600 s  next 2" in text
    assert "weekly  cron 0 9 * * 1 Europe/Berlin  next 2" in text
    assert [(job["name"], job["cron"], job["misfire"]) for job in listed] == [("weekly", "0 9 * * 1", "skip")]
    assert (paused[0], "weekly  cron 0 9 * * 1 Europe/Berlin  paused since 2" in shown) == (0, True)
    assert (resumed[:2], ran[0]) == ((0, "weekly goes on.\n"), 0)
    assert await operator.pool.fetchval("SELECT count(*) FROM recurring_jobs WHERE paused_at IS NULL") == 2
    assert await operator.pool.fetchval("SELECT type FROM outbox") == "health:check"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["redrive"], "give IDs, a filter such as --type, or --all"),
        (["discard", "--yes"], "give IDs, a filter such as --type, or --all"),
        (["redrive", "--all", "--type", "health:check"], "either IDs, or a filter, or --all"),
        (["redrive", SOME_ID, "--all"], "either IDs, or a filter, or --all"),
        (["redrive", SOME_ID, "--limit", "1"], "--limit goes with a filter"),
        (["redrive", "5"], "'5' is not a valid UUID"),
        (["redrive", "--all", "--rate", "0"], "--rate"),
        (["dead", "--type", "health:chek"], "health:check"),
        (["dead", "--since", "2026-01-31T12:00:00"], "with its offset"),
        (["dead", "--until", "0001-01-01T00:00:00+14:00"], "give an age"),
        (["dead", "--since", "yesterday"], "give an age"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(arguments, said):
    """Wrong usage ends with 2, without settings and without a server."""
    result = CliRunner(env={"DATABASE_URL": ""}).invoke(cli, ["jobs", *arguments])

    assert (result.exit_code, said in result.stderr) == (2, True)


async def test_what_does_not_exist_is_told_in_a_sentence(operator):
    """It ends with 1, and without a traceback."""
    asked = await asyncio.gather(
        operator.start("show", SOME_ID),
        operator.start("pause", "nothing"),
        operator.start("resume", "nothing"),
        operator.start("run", "nothing"),
    )

    assert [status for status, _, _ in asked] == [1, 1, 1, 1]
    assert [complained.split(".")[0].split(";")[0] for _, _, complained in asked] == [
        f"instadistro: there is no dead job {SOME_ID}",
        *["instadistro: there is no recurring job named 'nothing'"] * 3,
    ]


@pytest.mark.parametrize("case", ["away", "empty"])
async def test_a_database_that_cannot_answer_is_told_in_a_sentence(operator, empty_database_url, case):
    """Not reachable, or not migrated yet."""
    url = {"away": "postgresql://nobody@127.0.0.1:1/none", "empty": empty_database_url}[case]

    status, _, complained = await operator.start("dead", DATABASE_URL=url)

    assert status == 1
    assert {"away": "Check DATABASE_URL", "empty": "instadistro migrate"}[case] in complained
    assert "Traceback" not in complained
