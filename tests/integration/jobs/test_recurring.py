"""Due times become jobs: each once, on time without drift, late by the misfire policy."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.database import create_pool
from shared.jobs import (
    Misfire,
    RepeatRule,
    create_normal_job_options,
    create_very_low_priority_job_options,
    fire_due,
)
from tests.recurring import HOUR_MS, add, fire, firings, put_due, recurring, row_of
from tests.waiting import until

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WAITING = "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


def catching_up(every_ms):
    return RepeatRule(every_ms=every_ms, misfire=Misfire.CATCH_UP)


def deadline(headers):
    return datetime.fromtimestamp(int(headers["x-deadline"]) / 1000, UTC)


async def test_each_due_time_fires_once_however_many_schedulers_look(pool):
    """The row's lock decides, and the row moves on in the transaction that writes the firing."""
    names = [f"job-{number:03}" for number in range(120)]
    await add(pool, *(recurring(name, rule=catching_up(HOUR_MS)) for name in names))
    await put_due(pool, ago=3 * HOUR + MINUTE)
    first_due = (await row_of(pool, names[0]))["next_due_at"]

    async def scheduler():
        fired = 0
        while await pool.fetchval("SELECT count(*) FROM recurring_jobs WHERE next_due_at <= now()"):
            fired += (await fire(pool, limit=50)).fired.total()
        return fired

    fired = await asyncio.gather(*(scheduler() for _ in range(5)))

    wanted = {f"{name}@{(first_due + hours * HOUR).isoformat()}" for name in names for hours in range(4)}
    assert set(await firings(pool)) == wanted
    assert sum(fired) == len(wanted) == 480
    assert await pool.fetchval("SELECT every(next_due_at = $1) FROM recurring_jobs", first_due + 4 * HOUR)


async def test_a_sweep_that_fails_before_its_commit_has_fired_nothing(pool):
    """Firing and moving on are one: whoever comes next fires the same due time."""
    await add(pool, recurring("job", first_in_ms=0))

    async with pool.acquire() as connection:
        dying = connection.transaction()
        await dying.start()
        await fire_due(connection, limit=500)
        await dying.rollback()
    before = await firings(pool)
    fired = await fire(pool)

    assert before == {}
    assert fired.fired == {"cleanup:old_jobs": 1}


async def test_a_firing_is_the_job_that_was_added(pool):
    """Payload, its version, and the options that differ from the type's travel with each firing, and its name."""
    options = create_very_low_priority_job_options(attempts=2, backoff=500, cap=900, jitter=0.5)
    payload = {"user_id": "00000000-0000-7000-8000-000000000000", "account_id": None}
    job = recurring("job", payload=json.dumps(payload).encode(), version=3, options=options, first_in_ms=0)
    await add(pool, job)

    await fire(pool)

    row = await pool.fetchrow("SELECT * FROM outbox")
    headers = json.loads(row["headers"])
    assert (row["type"], row["subject"], row["priority"]) == ("cleanup:old_jobs", "job", 5)
    assert json.loads(row["payload"]) == payload
    told = {name: headers[f"x-{name}"] for name in ("version", "attempts", "backoff-ms", "cap-ms", "jitter", "repeat")}
    assert told == {
        "version": "3",
        "attempts": "2",
        "backoff-ms": "500",
        "cap-ms": "900",
        "jitter": "0.5",
        "repeat": "job",
    }


async def test_a_firing_ends_when_the_next_is_due(pool):
    """A worker that comes late leaves the run to the next one; options may end it sooner."""
    quick = create_normal_job_options(deadline=timedelta(minutes=5))
    await add(pool, recurring("usual"), recurring("quick", options=quick))
    await put_due(pool, ago=MINUTE / 2)
    due = (await row_of(pool, "usual"))["next_due_at"]

    await fire(pool)

    found = await firings(pool)
    assert abs(due + HOUR - deadline(found["usual"])) < timedelta(milliseconds=1)
    assert 5 * MINUTE < deadline(found["quick"]) - due < 6 * MINUTE


async def test_a_late_firing_keeps_the_grid(pool):
    """The next due time is counted from the one before, not from now."""
    await add(pool, recurring("job", rule=RepeatRule(every_ms=60_000)))
    await put_due(pool, ago=timedelta(seconds=40))
    due = (await row_of(pool, "job"))["next_due_at"]

    await fire(pool)

    assert (await row_of(pool, "job"))["next_due_at"] == due + MINUTE


@pytest.mark.parametrize(
    ("misfire", "fired", "missed"),
    [(Misfire.SKIP, 0, 1), (Misfire.ONCE, 1, 1), (Misfire.CATCH_UP, 3, 3)],
)
async def test_what_was_slept_through_fires_by_its_policy(pool, misfire, fired, missed):
    """Not at all, once, or once for each; then on the old grid."""
    await add(pool, recurring("job", rule=RepeatRule(every_ms=HOUR_MS, misfire=misfire)))
    await put_due(pool, ago=2 * HOUR + 5 * MINUTE)
    due = (await row_of(pool, "job"))["next_due_at"]

    sweep = await fire(pool)

    row = await row_of(pool, "job")
    assert sweep.fired["cleanup:old_jobs"] == await pool.fetchval("SELECT count(*) FROM outbox") == fired
    assert sweep.missed == {("cleanup:old_jobs", misfire): missed}
    assert row["next_due_at"] == due + 3 * HOUR
    assert (row["last_fired_at"] is not None) == (fired > 0)


async def test_what_is_caught_up_has_a_subject_of_its_own_and_no_deadline(pool):
    """Where every due time counts, none takes the place of another and none is ended by the next."""
    await add(pool, recurring("job", rule=catching_up(HOUR_MS)))
    await put_due(pool, ago=HOUR + MINUTE)
    due = (await row_of(pool, "job"))["next_due_at"]

    await fire(pool)

    found = await firings(pool)
    assert list(found) == [f"job@{due.isoformat()}", f"job@{(due + HOUR).isoformat()}"]
    assert ["x-deadline" in headers for headers in found.values()] == [False, False]
    assert [headers["x-repeat"] for headers in found.values()] == ["job", "job"]


async def test_one_job_that_slept_long_is_caught_up_in_bounded_sweeps(pool):
    """A sweep is no transaction of a week of firings; the next ones follow at once."""
    await add(pool, recurring("job", rule=catching_up(60_000)))
    await put_due(pool, ago=99.5 * MINUTE)

    sweeps = [await fire(pool, limit=40) for _ in range(3)]

    assert [sweep.fired["cleanup:old_jobs"] for sweep in sweeps] == [40, 40, 20]
    assert [(sweep.next_due_s or 0) > 0 for sweep in sweeps] == [False, False, True]


async def test_a_new_firing_takes_the_place_of_one_that_still_waits(pool):
    """A broker that is away for a day does not pile up a day of checks, and what it then gets is not too late."""
    await add(pool, recurring("job", first_in_ms=0))
    await fire(pool)
    [first] = (await firings(pool)).values()
    await put_due(pool, ago=timedelta(0))

    await fire(pool)

    [second] = (await firings(pool)).values()
    assert second["x-job-id"] != first["x-job-id"]
    assert deadline(second) > deadline(first)


async def test_a_firing_is_not_lost_to_a_relay_that_sends_the_one_before(pool):
    """What is about to be deleted as sent does not stand for what is due now."""
    await add(pool, recurring("job", first_in_ms=0))
    await fire(pool)
    await put_due(pool, ago=timedelta(0))

    async with pool.acquire() as relay, relay.transaction():
        sent = await relay.fetchval("SELECT id FROM outbox FOR UPDATE")
        sweep = asyncio.create_task(fire(pool))
        await until(lambda: pool.fetchval(WAITING), what="a sweep that waits for the relay")
        await relay.execute("DELETE FROM outbox WHERE id = $1", sent)
    await sweep

    assert await pool.fetchval("SELECT id <> $1 FROM outbox", sent)


async def test_a_zone_that_is_gone_stops_its_own_job_alone(pool):
    """The row is paused with the reason; the others fire in the same sweep."""
    await add(pool, recurring("broken", rule=RepeatRule(cron="0 9 * * *", zone="UTC")), recurring("sound"))
    await pool.execute("UPDATE recurring_jobs SET zone = 'Europe/Atlantis' WHERE name = 'broken'")
    await put_due(pool, ago=MINUTE / 2)

    sweep = await fire(pool)

    row = await row_of(pool, "broken")
    assert list(await firings(pool)) == ["sound"]
    assert sweep.broken == {"cleanup:old_jobs": 1}
    assert row["paused_at"] is not None
    assert row["error"] == "'Europe/Atlantis' is no time zone known here; use an IANA name such as Europe/Berlin"
    assert (await fire(pool)).claimed == 0


@pytest.mark.parametrize("options", ['{"attempts": 0}', '{"attempts": "many"}', "[]"])
async def test_options_that_cannot_be_meant_stop_their_own_job_alone(pool, options):
    """A row that was changed by hand is told, not fired and not in the way."""
    await add(pool, recurring("broken", first_in_ms=0), recurring("sound", first_in_ms=0))
    await pool.execute("UPDATE recurring_jobs SET options = $1::jsonb WHERE name = 'broken'", options)

    await fire(pool)

    assert list(await firings(pool)) == ["sound"]
    assert (await row_of(pool, "broken"))["error"]


async def test_a_type_of_a_newer_version_is_left_to_its_schedulers(pool):
    """While versions run side by side, the old one neither fires nor pauses what it does not know."""
    await add(pool, recurring("newer", first_in_ms=0))
    await pool.execute("UPDATE recurring_jobs SET type = 'of:tomorrow'")

    sweep = await fire(pool)

    assert (sweep.claimed, sweep.next_due_s) == (0, None)
    assert (await row_of(pool, "newer"))["paused_at"] is None


async def test_the_wait_for_the_next_due_time_is_told(pool):
    """Seconds by the database's clock, of what is not paused; None if nothing recurs."""
    nothing = await fire(pool)
    await add(pool, recurring("paused", first_in_ms=1_000), recurring("job", first_in_ms=600_000))
    await pool.execute("UPDATE recurring_jobs SET paused_at = now() WHERE name = 'paused'")

    sweep = await fire(pool)

    assert nothing.next_due_s is None
    assert sweep.next_due_s is not None
    assert 590 < sweep.next_due_s <= 600
