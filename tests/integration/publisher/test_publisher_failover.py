"""A result survives the database's failover: losing one would mean asking the platform what became of the post."""

from __future__ import annotations

import asyncio

import pytest

from services.publisher.result import write_result
from services.publisher.results import Published
from tests.waiting import until

WAIT_FOR_LEAVE = """
    CREATE FUNCTION wait_for_leave() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;
    CREATE TRIGGER leave BEFORE {} FOR EACH ROW EXECUTE FUNCTION wait_for_leave()
"""


async def cut_off(stage, before, work):
    """Run `work`, and end the session that comes to this point while it does."""
    await stage.pool.execute(WAIT_FOR_LEAVE.format(before))
    async with stage.pool.acquire() as other:
        await other.execute("SELECT pg_advisory_lock(1)")
        working = asyncio.create_task(work)
        waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        pid = await until(lambda: other.fetchval(waits), what="a statement to cut off")
        await other.execute("SELECT pg_terminate_backend($1)", pid)
        gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"
        await until(lambda: other.fetchval(gone, pid), what="the end of its session")
        await other.execute("SELECT pg_advisory_unlock(1)")
        return await working


async def test_a_result_whose_connection_is_lost_is_written_again(stage):
    """The row is published once, with one event, though the first transaction was cut off in its middle."""
    publication = await stage.claimed()
    writing = write_result(stage.work, publication, Published(media_id="17900", permalink=None))

    again = await cut_off(stage, "INSERT ON outbox", writing)

    row = await stage.row()
    events = await stage.pool.fetchval("SELECT count(*) FROM events WHERE type = 'publication.published'")
    assert again is None
    assert (row["state"], row["media_id"], events) == ("published", "17900", 1)


@pytest.mark.parametrize("step", ["container_id", "publish_sent_at"])
async def test_a_database_that_goes_away_in_the_middle_of_a_try_costs_no_attempt(stage, step):
    """The publication has done nothing wrong, and what was sent or not is on the row."""
    await cut_off(stage, f"UPDATE OF {step} ON publications", stage.run())
    row = await stage.row()
    await stage.run_when_due()

    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "database_away", 0)
    assert (await stage.row())["state"] == "published"
    assert len(await stage.live()) == 1
