"""Finished publications move to the archive, whole, and in nobody's way."""

import asyncio
import json

import pytest

from shared.cleanup.policies import ENDED_PUBLICATIONS
from shared.publications import find_duplicates

ENDED = ["published", "failed", "canceled", "missed"]


@pytest.mark.parametrize("state", ENDED)
async def test_what_ended_long_ago_moves_with_all_that_clients_may_ask(store, state):
    """Every column that is shown, and its tries; nothing of it stays behind."""
    [old] = await store.end(state, days=91)
    before = await store.pool.fetchrow("SELECT * FROM publications")

    went = await store.clean_up()

    after = await store.pool.fetchrow("SELECT * FROM publications_archive")
    assert went["publications"] == 1
    assert after["id"] == old
    shown = set(after.keys()) - {"attempts"}
    assert {name: after[name] for name in shown} == {name: before[name] for name in shown}
    assert [(tried["epoch"], tried["outcome"], tried["error"]) for tried in json.loads(after["attempts"])] == [
        (2, "quota", {"code": "no"}),
        (1, "quota", {"code": "no"}),
    ]
    assert await store.ids("publications") == set()
    assert await store.pool.fetchval("SELECT count(*) FROM publication_attempts") == 0


async def test_what_ended_lately_or_not_at_all_stays(store):
    """However old it is: what waits, may be live, or is being published is nobody's past."""
    young = await store.end("published", days=89)
    for state in ("held", "outcome_unknown", "scheduled"):
        await store.end(state, days=400)

    went = await store.clean_up()

    assert went["publications"] == 0
    assert len(await store.ids("publications")) == 4
    assert set(young) <= await store.ids("publications")


async def test_the_days_are_the_operators_to_set(store):
    """A setting says how long what ended stays."""
    await store.end("published", days=70)

    assert (await store.clean_up(archive_after_days=60))["publications"] == 1


async def test_what_is_archived_is_still_counted(store):
    """By its post and its distribution, added to what was archived before."""
    distribution_id = await store.distribute(await store.end("published", days=100, accounts=2))
    await store.clean_up()
    await store.end("published", days=100)
    await store.end("failed", days=100)

    await store.clean_up()

    post = await store.pool.fetchval("SELECT archived_counts FROM posts")
    distribution = await store.pool.fetchval("SELECT archived_counts FROM distributions WHERE id = $1", distribution_id)
    assert json.loads(post) == {"published": 3, "failed": 1}
    assert json.loads(distribution) == {"published": 2}


@pytest.mark.parametrize(
    "held",
    [
        "SELECT FROM publications FOR UPDATE",
        "SELECT FROM posts FOR UPDATE",
        "SELECT FROM distributions FOR NO KEY UPDATE",
    ],
)
async def test_nobody_who_works_with_it_is_waited_for(store, held):
    """Whoever retries it, publishes its post or pauses its distribution goes first, and it moves another time."""
    await store.distribute(await store.end("failed", days=100))

    async with store.pool.acquire() as other, other.transaction():
        await other.execute(held)
        async with asyncio.timeout(10):
            busy = await store.clean_up()
    later = await store.clean_up()

    assert (busy["publications"], later["publications"]) == (0, 1)


async def test_two_that_clean_up_at_once_move_each_once(store):
    """A person's and the scheduler's meet without harm."""
    for _ in range(3):
        await store.end("published", days=100, accounts=3)

    went = await asyncio.gather(*(store.clean_up() for _ in range(2)))
    went.append(await store.clean_up())

    assert sum(one["publications"] for one in went) == 9
    assert json.loads(await store.pool.fetchval("SELECT archived_counts FROM posts")) == {"published": 9}


async def test_a_post_that_was_published_stays_a_duplicate(store):
    """What is live is live, archived or not; what failed may be published again."""
    [published] = await store.end("published", days=100)
    await store.clean_up()
    account_ids = store.tenant.account_ids

    async with store.pool.acquire() as tx:
        found = await find_duplicates(
            tx, user_id=store.tenant.user_id, post_id=store.tenant.post_id, account_ids=account_ids
        )

    assert found == {account_ids[0]: published}


async def test_each_month_has_a_piece_of_its_own(store):
    """Made before the archive is filled, so that it can be dropped whole."""
    await store.end("published", days=100)
    await store.end("failed", days=400)

    await store.clean_up()

    pieces = await store.pool.fetch("SELECT tableoid::regclass::text AS piece, updated_at FROM publications_archive")
    assert {row["piece"] for row in pieces} == {f"publications_archive_{row['updated_at']:%Y%m}" for row in pieces}


async def test_months_that_were_kept_long_enough_are_dropped_and_still_counted(store):
    """A month goes when all of it is old; for ever means none does."""
    await store.end("published", days=100)
    await store.end("published", days=300)
    await store.clean_up()

    for_ever = await store.clean_up(archive_keep_days=0)
    dropped = await store.clean_up(archive_keep_days=200)

    kept = await store.pool.fetchval("SELECT count(*) FROM publications_archive")
    assert for_ever["publications_archive"] == 0
    assert dropped["publications_archive"] >= 1
    assert kept == 1
    assert json.loads(await store.pool.fetchval("SELECT archived_counts FROM posts")) == {"published": 2}


async def test_what_has_no_month_is_not_refused(store):
    """Older than all that was made for it; what is too old there goes as well."""
    await store.end("failed", days=30)
    await store.pool.execute("UPDATE publications SET updated_at = '2001-01-01'")

    async with store.pool.acquire() as connection:
        moved = await connection.fetchval(ENDED_PUBLICATIONS.let_go, 90, 500)
    piece = await store.pool.fetchval("SELECT tableoid::regclass::text FROM publications_archive")
    await store.clean_up()

    assert (moved, piece) == (1, "publications_archive_default")
    assert await store.ids("publications_archive") == set()
