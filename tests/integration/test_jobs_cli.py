"""The commands that look after jobs, as an operator runs them."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from click.testing import CliRunner

from deploy.cli.main import cli
from shared.database import create_pool
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
from tests.dead_jobs import bury

DEADLINE_S = 60
SOME_ID = "01900000-0000-7000-8000-000000000000"


class Operator:
    """Runs `instadistro jobs ...` against the test's own servers."""

    def __init__(self, pool, environment):
        self.pool, self.environment = pool, environment

    async def run(self, *arguments):
        """In this process; answers status, standard output and standard error."""
        run = partial(CliRunner(env=self.environment).invoke, cli, ["jobs", *arguments])
        result = await asyncio.to_thread(run)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr

    async def start(self, *arguments, stdin=asyncio.subprocess.DEVNULL, **environment):
        """As `run`, in a process of its own."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "deploy.cli.main", "jobs", *arguments),
            env={"PATH": os.environ["PATH"], **self.environment, **environment},
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(DEADLINE_S):
            said, complained = await process.communicate()
        return process.returncode, said.decode(), complained.decode()

    async def json(self, *arguments):
        status, said, complained = await self.run(*arguments, "--json")
        assert complained == ""
        return status, json.loads(said)

    async def bury(self, *, hours=0, **what):
        """A dead job that died so many hours ago; answers its id."""
        [dead_id] = await bury(
            self.pool,
            died_at=datetime.now(UTC) - timedelta(hours=hours),
            error="the platform\x1b[31m said no",
            failures=[{"attempt": 1, "at": "2026-01-31T12:00:00Z", "error": "said no"}],
            **what,
        )
        return str(dead_id)

    async def dead(self):
        return {str(row["id"]) for row in await self.pool.fetch("SELECT id FROM dead_jobs")}

    async def waiting(self):
        return {row["subject"] for row in await self.pool.fetch("SELECT subject FROM outbox")}


@pytest.fixture
async def operator(database_url):
    """An operator with a database of their own, and a broker that is away."""
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "AMQP_URL": "amqp://127.0.0.1:1/",
        "TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "CURSOR_SECRET": "0123456789abcdef",
        "API_KEY_PEPPER": "0123456789abcdef",
    }
    async with await create_pool(database_url, application_name="test") as pool:
        yield Operator(pool, environment)


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


async def test_dead_jobs_are_listed_by_what_is_asked_for(operator):
    """Newest first; what came from outside cannot command the terminal."""
    old = await operator.bury(hours=5)
    new = await operator.bury(reason="deadline")
    await operator.bury(type_="unreadable", hours=48)

    _, text, _ = await operator.run("dead", "--limit", "2")
    _, listed = await operator.json("dead", "--type", "health:check", "--since", "1d", "--until", "1h")
    _, none, _ = await operator.run("dead", "--reason", "crash_loop")

    assert [line.split()[0] for line in text.splitlines() if "health:check" in line] == [new, old]
    assert "the platform [31m said no" in text
    assert text.splitlines()[-1] == "Shown: 2 of 3."
    assert [job["id"] for job in listed] == [old]
    assert none == "No dead jobs.\n"


async def test_one_dead_job_is_shown_with_all_that_is_known_of_it(operator):
    """Attempts, headers and payload, also where the payload is no JSON."""
    good, bad = await operator.bury(payload=b'{"a": 1}'), await operator.bury(payload=b"\xff")

    status, text, _ = await operator.run("show", good)
    _, whole = await operator.json("show", good)
    _, odd = await operator.json("show", bad)

    assert status == 0
    assert all(word in text for word in ("said no", "x-job-id", '{"a": 1}', "2026-01-31T12:00:00Z", "high"))
    assert whole["payload"] == {"a": 1}
    assert [failure["attempt"] for failure in whole["failures"]] == [1]
    assert (odd["payload"], odd["payload_base64"]) == (None, "/w==")


async def test_redriving_by_id_says_which_ids_are_wrong(operator):
    """Status 1 if any stays, each with its reason; the others go."""
    good, poison, unknown = await operator.bury(), await operator.bury(payload=b"no"), str(uuid4())

    dry = await operator.json("redrive", good, "--dry-run")
    (status, report) = await operator.json("redrive", good, poison, unknown)

    assert dry == (0, {"redriven": 1, "dry_run": True, "refused": []})
    assert (status, report["redriven"]) == (1, 1)
    assert {refused["id"] for refused in report["refused"]} == {poison, unknown}
    assert (await operator.dead(), await operator.waiting()) == ({poison}, {good})


async def test_redriving_by_filter_goes_as_fast_as_it_is_told(operator):
    """Only what is meant, the oldest first, so many a second."""
    ids = [await operator.bury(hours=hours) for hours in (4, 3, 2)]
    other = await operator.bury(reason="deadline", hours=9)

    status, said, _ = await operator.run("redrive", "--reason", "exhausted", "--limit", "2", "--rate", "0.5")

    due = await operator.pool.fetch("SELECT due_at FROM outbox ORDER BY due_at")
    assert (status, said) == (0, "Sent back: 2.\n")
    assert (await operator.dead(), await operator.waiting()) == ({ids[2], other}, set(ids[:2]))
    assert due[1]["due_at"] - due[0]["due_at"] == timedelta(seconds=2)


async def test_redriving_all_tells_people_what_stays_and_why(operator):
    """One line for each."""
    await operator.bury()
    poison = await operator.bury(type_="unreadable")

    dry = await operator.run("redrive", "--all", "--dry-run")
    done = await operator.run("redrive", "--all")

    assert (dry[0], "Would be sent back: 1." in dry[1]) == (1, True)
    assert done[1].splitlines() == [
        "Sent back: 1.",
        "Stay among the dead: 1.",
        f"  {poison}: it is no job that this version can read",
    ]


async def test_discarding_needs_a_yes(operator):
    """Where nobody can be asked, it must be said beforehand; a dry run only counts."""
    first, second = await operator.bury(), await operator.bury(reason="deadline")

    dry, asked = await operator.run("discard", "--all", "--dry-run"), await operator.run("discard", "--all")
    unknown = await operator.start("discard", first, str(uuid4()), "--yes")
    kept = await operator.dead()
    by_id = await operator.run("discard", first, "--yes")
    by_filter = await operator.run("discard", "--reason", "deadline", "--yes")

    assert dry == (0, "Would be discarded: 2.\n", "")
    assert (asked[0], "add --yes" in asked[2]) == (2, True)
    assert (unknown[0], "there is no dead job" in unknown[2]) == (1, True)
    assert kept == {first, second}
    assert by_id == by_filter == (0, "Discarded: 1.\n", "")
    assert await operator.dead() == set()


async def test_long_work_says_how_far_it_is(operator):
    """On standard error, so that what a program reads stays clean."""
    await operator.pool.execute(
        """
        INSERT INTO dead_jobs (id, type, subject, reason, attempt, payload, headers)
        SELECT gen_random_uuid(), 'unreadable', '', 'unreadable', 1, '', '{}' FROM generate_series(1, 1200)
        """
    )

    looked_at = await operator.run("redrive", "--all", "--json")
    discarded = await operator.run("discard", "--all", "--yes")

    assert len(json.loads(looked_at[1])["refused"]) == 1200
    assert [line.strip() for line in looked_at[2].splitlines()] == [
        f"looked at: {count} of 1200" for count in (500, 1000, 1200)
    ]
    assert discarded[1] == "Discarded: 1200.\n"
    assert "discarded: 1000 of 1200" in discarded[2]


async def test_discarding_on_a_terminal_asks_first(operator):
    """Only a yes deletes."""
    dead_id = await operator.bury()
    answers = {}
    for answer in ("n", "y"):
        ours, theirs = os.openpty()
        os.write(ours, f"{answer}\n".encode())
        answers[answer] = (await operator.start("discard", dead_id, stdin=theirs))[0], await operator.dead()
        os.close(ours)
        os.close(theirs)

    assert answers == {"n": (1, {dead_id}), "y": (0, set())}


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
