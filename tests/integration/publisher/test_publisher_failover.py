"""A result survives the database's failover: losing one would mean asking the platform what became of the post."""

from __future__ import annotations

import asyncio

from services.publisher.result import write_result
from services.publisher.results import Published
from tests.waiting import until


async def test_a_result_whose_connection_is_lost_is_written_again(stage):
    """The row is published once, with one event, though the first transaction was cut off in its middle."""
    await stage.pool.execute(
        """
        CREATE FUNCTION wait_for_leave() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;
        CREATE TRIGGER leave BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION wait_for_leave()
        """
    )
    publication = await stage.claimed()
    async with stage.pool.acquire() as other:
        await other.execute("SELECT pg_advisory_lock(1)")
        writing = asyncio.create_task(
            write_result(stage.work, publication, Published(media_id="17900", permalink=None))
        )
        waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        pid = await until(lambda: other.fetchval(waits), what="a result being written")
        await other.execute("SELECT pg_terminate_backend($1)", pid)
        gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"
        await until(lambda: other.fetchval(gone, pid), what="the end of its session")
        await other.execute("SELECT pg_advisory_unlock(1)")
        again = await writing

    row = await stage.row()
    events = await stage.pool.fetchval("SELECT count(*) FROM events WHERE type = 'publication.published'")
    assert again is None
    assert (row["state"], row["media_id"], events) == ("published", "17900", 1)
