"""What waited for the platform goes on once it is back: each row once, at a pace."""

import asyncio
import sys

import pytest

from shared.database import create_pool
from shared.publications import bring_forward
from tests.seeds import seed_publications, seed_tenant

_WAITING = 7


@pytest.fixture
async def pool(database_url, monkeypatch):
    """Seven publications that wait for the platform for another five minutes, and one that waits for its time."""
    monkeypatch.setattr(sys.modules[bring_forward.__module__], "_BATCH", 2)
    async with await create_pool(database_url, application_name="test") as pool:
        instagram = [(f"1784140000000000{number}", "token-of-the-tests") for number in range(_WAITING + 1)]
        publication_ids = await seed_publications(pool, await seed_tenant(pool, instagram=instagram))
        await pool.execute(
            """
            UPDATE publications
            SET reason = CASE WHEN id = $1 THEN 'quota' ELSE 'platform_down' END,
                next_attempt_at = now() + interval '5 minutes'
            """,
            publication_ids[0],
        )
        await pool.execute("DELETE FROM outbox")
        yield pool


async def test_what_waits_for_the_platform_alone_goes_on_at_a_pace(pool):
    """Batch after batch, with a message due when the row is; who waits for another reason waits on."""
    assert await bring_forward(pool, rescue_after_s=60.0) == _WAITING

    rows = await pool.fetch(
        """
        SELECT reason, extract(epoch FROM next_attempt_at - updated_at)::float8 AS in_s,
               extract(epoch FROM rescue_at - next_attempt_at)::float8 AS rescue_after_s,
               outbox.due_at = next_attempt_at AS told
        FROM publications LEFT JOIN outbox ON outbox.subject = publications.id::text
        ORDER BY next_attempt_at
        """
    )
    *went, stayed = rows
    assert [int(row["in_s"] // 5) for row in went] == [0, 0, 1, 1, 2, 2, 3]
    assert {(row["reason"], row["rescue_after_s"], row["told"]) for row in went} == {("platform_back", 60.0, True)}
    assert (stayed["reason"], stayed["told"]) == ("quota", None)


async def test_each_is_brought_forward_once_however_many_processes_see_the_end(pool):
    """Every publisher does it: none has to outlive the others."""
    counts = await asyncio.gather(*(bring_forward(pool, rescue_after_s=60.0) for _ in range(3)))

    assert sum(counts) == _WAITING
    assert await bring_forward(pool, rescue_after_s=60.0) == 0
