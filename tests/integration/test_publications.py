"""Publications on a real database: claims, transitions, rescue."""

import asyncio
import json
import time
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.database import create_pool
from shared.publications import (
    Change,
    Owner,
    Publication,
    PublicationState,
    Refusal,
    Refused,
    claim,
    find_duplicates,
    release_held,
    transition,
)
from tests.seeds import seed_publications, seed_tenant

S = PublicationState


@pytest.fixture
async def pool(database_url):
    """A pool on the test's own database."""
    async with await create_pool(database_url, application_name="test") as pool:
        yield pool


async def take(pool, publication_id, *, revision=1, worker="w1", lease_s=20.0):
    async with pool.acquire() as connection, connection.transaction():
        return await claim(connection, publication_id, revision=revision, worker=worker, lease_s=lease_s)


async def move(pool, publication, change, *, epoch=None):
    async with pool.acquire() as connection, connection.transaction():
        return await transition(connection, publication.id, change, user_id=publication.user_id, epoch=epoch)


async def read(pool, publication_id):
    return await pool.fetchrow("SELECT *, now() AS read_at FROM publications WHERE id = $1", publication_id)


async def test_a_new_publication_has_one_message_due_when_it_is(pool):
    """The row and its wake-up commit together."""
    tenant = await seed_tenant(pool)

    [publication_id] = await seed_publications(pool, tenant, due_in_s=3600)

    row = await read(pool, publication_id)
    [message] = await pool.fetch("SELECT * FROM outbox WHERE type = 'post:publish'")
    assert (row["state"], row["attempt"], row["revision"]) == ("scheduled", 0, 1)
    assert (message["type"], message["subject"]) == ("post:publish", str(publication_id))
    assert message["due_at"] == row["publish_at"] == row["next_attempt_at"]
    assert json.loads(message["payload"]) == {"publication_id": str(publication_id), "revision": 1}


async def test_a_claim_takes_the_row_once(pool):
    """Of many workers one wins; the others are told that it is being worked on."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant)

    answers = await asyncio.gather(*(take(pool, publication_id, worker=f"w{number}") for number in range(8)))

    won = [answer for answer in answers if isinstance(answer, Publication)]
    refused = [answer.why for answer in answers if isinstance(answer, Refused)]
    assert [(publication.state, publication.epoch, publication.attempt) for publication in won] == [
        (S.PUBLISHING, 1, 1)
    ]
    assert len(refused) == 7
    assert set(refused) <= {Refusal.LIVE_LEASE, Refusal.ACCOUNT_BUSY}


async def test_what_was_claimed_in_time_may_be_taken_over_late(pool):
    """Otherwise a worker's death just before the last moment would block its account for ever."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant, max_lateness_s=50)
    await take(pool, publication_id, worker="dead")
    await pool.execute(
        "UPDATE publications SET publish_at = now() - interval '1 hour', lease_until = now() - interval '1 second'"
    )

    heir = await take(pool, publication_id, worker="heir")

    assert isinstance(heir, Publication)


async def test_the_age_of_a_moment_is_the_databases_whatever_this_machine_says(pool, monkeypatch):
    """A worker whose clock is off must not repeat a call too early."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant)
    publication = await take(pool, publication_id)

    monkeypatch.setattr(time, "time", lambda: 0.0)

    assert 0 <= publication.age_s(publication.next_attempt_at) < 60


async def test_one_publication_at_a_time_per_account(pool):
    """The second of an account waits until the first has ended."""
    tenant = await seed_tenant(pool)
    [first] = await seed_publications(pool, tenant)
    [second] = await seed_publications(pool, tenant)

    taken = await take(pool, first)
    refused = await take(pool, second)

    assert isinstance(taken, Publication)
    assert refused == Refused(why=Refusal.ACCOUNT_BUSY)


async def test_refusals_name_their_reason(pool):
    """Each reason leads to a settlement of its own."""
    tenant = await seed_tenant(pool)
    [early] = await seed_publications(pool, tenant, due_in_s=100)
    [late] = await seed_publications(pool, tenant, due_in_s=-100, max_lateness_s=50)
    [ended] = await seed_publications(pool, tenant)
    await pool.execute("UPDATE publications SET state = 'canceled' WHERE id = $1", ended)

    not_due = await take(pool, early)

    assert isinstance(not_due, Refused)
    assert not_due.why is Refusal.NOT_DUE
    assert 90 < not_due.due_in_s <= 100
    assert await take(pool, late) == Refused(why=Refusal.TOO_LATE)
    assert await take(pool, ended) == Refused(why=Refusal.ENDED)
    assert await take(pool, early, revision=2) == Refused(why=Refusal.OTHER_REVISION)
    assert await take(pool, uuid4()) == Refused(why=Refusal.GONE)
    await pool.execute("UPDATE accounts SET state = 'PAUSED', paused_from = 'ACTIVE'")
    unfit = await take(pool, early)
    assert isinstance(unfit, Refused)
    assert unfit.why is Refusal.ACCOUNT_UNFIT
    assert unfit.unfit is not None
    assert (unfit.unfit.reason, unfit.unfit.claimed) == ("account_paused", False)


async def test_taking_over_from_a_dead_worker_costs_no_attempt_and_fences_it(pool):
    """The old worker's writes are refused, and its death is on record."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant)
    dead = await take(pool, publication_id, worker="dead")
    await pool.execute("UPDATE publications SET lease_until = now() - interval '1 second'")

    heir = await take(pool, publication_id, worker="heir")
    too_late = await move(pool, dead, Change(to=S.PUBLISHED, owner=Owner.PUBLISHER, media_id="1"), epoch=dead.epoch)

    assert (heir.epoch, heir.attempt) == (2, 1)
    assert too_late is None
    attempts = await pool.fetch("SELECT worker, outcome FROM publication_attempts ORDER BY epoch")
    assert [tuple(attempt) for attempt in attempts] == [("dead", "worker_lost"), ("heir", None)]


async def test_a_transition_writes_row_attempt_and_event_together(pool):
    """What is published is told in the same transaction."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant)
    taken = await take(pool, publication_id)

    change = Change(to=S.PUBLISHED, owner=Owner.PUBLISHER, media_id="1789", permalink="https://example.com/p/1")
    written = await move(pool, taken, change, epoch=taken.epoch)

    [event] = await pool.fetch("SELECT * FROM events")
    [announcement] = await pool.fetch("SELECT * FROM outbox WHERE exchange = 'events'")
    [attempt] = await pool.fetch("SELECT * FROM publication_attempts")
    assert (written.state, written.media_id) == (S.PUBLISHED, "1789")
    assert written.published_at is not None
    assert (event["type"], event["subject"], event["user_id"]) == (
        "publication.published",
        str(publication_id),
        tenant.user_id,
    )
    assert json.loads(announcement["payload"])["id"] == str(event["id"])
    assert (attempt["outcome"], attempt["ended_at"] is not None) == ("published", True)


async def test_a_transition_that_no_arrow_allows_is_a_bug_and_says_so(pool):
    """Illegal moves raise; late ones are refused."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant)
    taken = await take(pool, publication_id)

    with pytest.raises(ValueError, match="no arrow of scheduler leads to published"):
        await move(pool, taken, Change(to=S.PUBLISHED, owner=Owner.SCHEDULER))

    assert await move(pool, taken, Change(to=S.CANCELED, owner=Owner.API)) is None


async def test_a_transition_of_another_tenant_writes_nothing(pool):
    """The tenant is part of every WHERE."""
    tenant, other = await seed_tenant(pool), await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant)
    row = Publication.from_row(await read(pool, publication_id))

    refused = await move(pool, replace(row, user_id=other.user_id), Change(to=S.CANCELED, owner=Owner.API))

    assert refused is None
    assert (await read(pool, publication_id))["state"] == "scheduled"


async def test_going_back_through_the_outbox_replaces_what_waits_there(pool):
    """The new due time wins over a message that still waits."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant)
    taken = await take(pool, publication_id)

    change = Change(
        to=S.SCHEDULED, owner=Owner.PUBLISHER, reason="quota", delay_s=1800, through_outbox=True, give_back=1
    )
    written = await move(pool, taken, change, epoch=taken.epoch)

    [message] = await pool.fetch("SELECT * FROM outbox WHERE type = 'post:publish'")
    assert (written.state, written.attempt, written.reason) == (S.SCHEDULED, 0, "quota")
    assert message["due_at"] == written.next_attempt_at


async def test_duplicates_are_found_only_among_live_ones(pool):
    """A failed try does not stand in the way of a new one."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant)

    async def duplicates():
        return await find_duplicates(
            pool, user_id=tenant.user_id, post_id=tenant.post_id, account_ids=tenant.account_ids
        )

    live = await duplicates()
    await pool.execute("UPDATE publications SET state = 'failed'")

    assert live == {tenant.account_ids[0]: publication_id}
    assert await duplicates() == {}


async def test_held_publications_are_released_only_for_a_fit_account(pool):
    """Every gate is asked again."""
    tenant = await seed_tenant(pool)
    [publication_id] = await seed_publications(pool, tenant)
    row = Publication.from_row(await read(pool, publication_id))
    await move(pool, row, Change(to=S.HELD, owner=Owner.PUBLISHER, reason="reauth_required"))
    await pool.execute("UPDATE accounts SET state = 'NEEDS_REAUTH'")

    async def release():
        async with pool.acquire() as connection, connection.transaction():
            return await release_held(
                connection, user_id=tenant.user_id, account_id=tenant.account_ids[0], rescue_after_s=60
            )

    unfit = await release()
    await pool.execute("UPDATE accounts SET state = 'ACTIVE'")
    fit = await release()

    assert (unfit, fit) == (0, 1)
    assert (await read(pool, publication_id))["state"] == "scheduled"


async def test_event_days_are_made_ahead_and_dropped_after_a_week(pool):
    """A day of events is a table of its own, gone in one step."""
    await pool.execute(
        "CREATE TABLE events_20200101 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')"
    )

    dropped = await pool.fetchval("SELECT roll_event_partitions(7, 5)")
    again = await pool.fetchval("SELECT roll_event_partitions(7, 5)")

    days = await pool.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass")
    assert (dropped, again) == (1, 0)
    assert days == 1 + 6  # the default and today with five days ahead
