"""A set-up in which all is well, and the rules of the round itself."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from deploy.doctor import AREAS, Area, Check, Level, examine, read_setup
from deploy.doctor.finding import ok
from shared.jobs.depths import count_messages

CHECKOUT = Path(__file__).parents[3]


async def test_a_healthy_set_up_is_all_ok(patient):
    """Every check looks and finds nothing; what is skipped says why."""
    findings = await patient.examine()

    assert [each for each in findings if each.level not in {Level.OK, Level.SKIPPED}] == []
    assert {each.check for each in findings if each.level is Level.SKIPPED} == {
        "machine.ports",  # these settings are not those of `instadistro up`
        "machine.space",
        "postgres.api_key",  # no key is given to try
        "services.ready",  # no private system runs
    }


async def test_the_round_changes_nothing(patient):
    """Two rounds leave no row, no key, no message and no file."""
    before = await _contents(patient)

    await patient.examine()

    assert await _contents(patient) == before


async def _contents(patient):
    """Rows by table, keys of the cache, messages by queue, files."""
    connection = await asyncpg.connect(patient.environ["DATABASE_URL"])
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for (name,) in tables}  # noqa: S608
    finally:
        await connection.close()
    async with Redis.from_url(patient.environ["REDIS_URL"]) as redis:
        keys = sorted(await redis.keys())
    messages = await count_messages(await patient.broker.channel())
    return rows, keys, messages, os.listdir(patient.environ["MEDIA_STORE"])  # noqa: PTH208 - a test may wait for it


def test_every_check_bears_the_name_of_its_area_and_needs_what_is_there():
    """A need that nobody looks at would never keep a check from being looked at in vain."""
    names = [check.name for area in AREAS for check in area.checks]

    assert len(set(names)) == len(names) >= 30
    assert all(area.needs[:1] == ("settings.values",) for area in AREAS if area.name not in {"settings", "machine"})
    assert all(check.name.startswith(f"{area.name}.") for area in AREAS for check in area.checks)
    assert {need for area in AREAS for need in area.needs} <= set(names)
    assert {need for area in AREAS for check in area.checks for need in check.needs} <= set(names)


def test_the_page_tells_of_every_check_and_no_other():
    """docs/doctor.md has a row for each."""
    page = (CHECKOUT / "docs" / "doctor.md").read_text(encoding="utf-8")

    told = re.findall(r"^\| `(\w+\.\w+)` \|", page, re.MULTILINE)

    assert sorted(told) == sorted(check.name for area in AREAS for check in area.checks)


@asynccontextmanager
async def _nothing(setup):
    yield setup


async def test_a_check_that_breaks_or_hangs_is_a_finding():
    """No defect of a check ends the round, and none keeps it from ending."""

    async def breaks(_):
        raise KeyError("lost")

    async def hangs(_):
        await asyncio.Event().wait()

    async def fine(_):
        return ok("Fine.")

    area = Area(
        name="a",
        enter=_nothing,
        needs=(),
        checks=(
            Check(name="a.breaks", look=breaks),
            Check(name="a.hangs", look=hangs, deadline_s=0.05),
            Check(name="a.fine", look=fine),
            Check(name="a.after", look=fine, needs=("a.hangs",)),
            Check(name="a.long_after", look=fine, needs=("a.after",)),
        ),
    )

    findings = await examine(read_setup({}), [area])

    levels = [Level.FAILED, Level.FAILED, Level.OK, Level.SKIPPED, Level.SKIPPED]
    assert [each.level for each in findings] == levels
    assert findings[0].says == "It could not be looked at: KeyError: 'lost'."
    assert findings[1].says == "It gave no answer within 0.05 s."
    assert {each.says for each in findings[3:]} == {"Not looked at, since a.hangs failed."}
