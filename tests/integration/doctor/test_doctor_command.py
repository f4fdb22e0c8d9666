"""`instadistro doctor` as a process: exit status, JSON, lines for people, and no secret in either."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from urllib.parse import urlsplit

import pytest

DEADLINE_S = 60


@pytest.fixture
def doctor(enterable_directory):
    """Runs the command with an environment of its own; answers status, output and complaints."""

    async def run(environ, *arguments):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "deploy.cli.main", "doctor", *arguments),
            env={"PATH": os.environ["PATH"], "INSTADISTRO_STATE": str(enterable_directory / "nothing"), **environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(DEADLINE_S):
            said, complained = await process.communicate()
        return process.returncode, said.decode(), complained.decode()

    return run


def secrets_of(environ):
    """Every secret of the settings, in each form in which it could be printed."""
    urls = ("DATABASE_URL", "REDIS_URL", "AMQP_URL", "AMQP_MANAGEMENT_URL")
    yield from (environ[name] for name in ("CURSOR_SECRET", "API_KEY_PEPPER", "INSTAGRAM_APP_SECRET"))
    yield from (urlsplit(environ[name]).password for name in urls)
    yield environ["TOKEN_KEYS"].partition(":")[2]


async def test_a_healthy_set_up_ends_with_0(patient, doctor):
    """All in JSON, nothing on standard error, and no secret anywhere."""
    status, said, complained = await doctor(patient.environ, "--json")

    report = json.loads(said)
    assert (status, complained) == (0, "")
    assert report["failed"] == 0
    assert set(report["findings"][0]) == {"check", "level", "says", "do"}
    assert len(report["findings"]) == sum(report[level] for level in ("ok", "skipped", "warning", "failed"))
    assert [secret for secret in secrets_of(patient.environ) if secret in said] == []


async def test_what_failed_stands_last_and_ends_with_1(patient, doctor):
    """Everything is down: four causes, four findings, each with what to do, and still no secret."""
    for name in ("DATABASE_URL", "REDIS_URL", "AMQP_URL"):
        parts = urlsplit(patient.environ[name])
        patient.environ[name] = parts._replace(netloc=f"me:{parts.password}@127.0.0.1:1").geturl()
    patient.environ["INSTAGRAM_GRAPH_URL"] = "http://127.0.0.1:1"

    status, said, complained = await doctor(patient.environ)

    lines = said.splitlines()
    failed = [line.split()[1] for line in lines if line.startswith("failed")]
    assert (status, complained) == (1, "")
    assert failed == ["postgres.connects:", "redis.connects:", "rabbitmq.connects:", "platform.answers:"]
    assert lines[-1].startswith("4 failed, ")
    assert lines[-4].startswith("failed   platform.answers: The platform at 127.0.0.1:1 cannot be reached")
    assert lines[-3].startswith("         Start it, or correct host and port in INSTAGRAM_GRAPH_URL.")
    assert "\x1b" not in said
    assert [secret for secret in secrets_of(patient.environ) if secret in said] == []


async def test_settings_that_cannot_be_used_end_with_2(patient, doctor):
    """Every fault is told, also where only one area is asked for."""
    patient.environ |= {"CURSOR_SECRET": "short", "LEASE_S": "soon"}

    status, said, _ = await doctor(patient.environ, "--only", "redis", "--json")

    told = {each["says"].split()[0]: each["level"] for each in json.loads(said)["findings"]}
    assert status == 2
    assert told == {"CURSOR_SECRET": "failed", "LEASE_S": "failed", "Not": "skipped"}


async def test_one_area_can_be_asked_for(patient, doctor):
    """Only its findings are told, and only they decide."""
    patient.environ["REDIS_URL"] = "redis://127.0.0.1:1/0"

    well, ill = await asyncio.gather(
        doctor(patient.environ, "--only", "media", "--json"), doctor(patient.environ, "--only", "redis", "--json")
    )

    assert well[0] == 0
    assert {each["check"].split(".")[0] for each in json.loads(well[1])["findings"]} == {"media"}
    assert ill[0] == 1
    assert {each["check"].split(".")[0] for each in json.loads(ill[1])["findings"]} == {"redis"}


async def test_without_settings_and_system_it_says_how_to_begin(doctor):
    """Nothing is set and nothing runs: 2, and what to do."""
    status, said, complained = await doctor({})

    assert (status, complained) == (2, "")
    assert "No settings are given" in said
    assert "`instadistro up`" in said
