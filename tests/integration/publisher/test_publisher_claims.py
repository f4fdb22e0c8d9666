"""Claims, leases and refusals of the publisher."""

import asyncio
from datetime import timedelta

import msgspec

from services.publisher.claim import take
from services.publisher.publish import publish
from shared.jobs import JobType, PublishPublication, new_job
from tests.seeds import seed_publications, seed_tenant

_WAITING = "SELECT payload FROM outbox WHERE type = 'post:publish'"
_IN_S = "SELECT extract(epoch FROM due_at - clock_timestamp())::float8 FROM outbox WHERE type = 'post:publish'"


async def deliver_what_waits(stage):
    """The message that waits in the outbox, as if it were due."""
    payload = msgspec.json.decode(await stage.pool.fetchval(_WAITING), type=PublishPublication)
    await publish(stage.work, new_job(JobType.POST_PUBLISH, payload, subject=str(stage.publication_id)), payload)


async def claim_of(stage, publication_id):
    return await take(stage.work, PublishPublication(publication_id=publication_id, revision=1))


async def test_leases_are_renewed_for_the_claim_that_is_held_and_no_other(stage):
    """A worker that lost its claim does not keep its successor's alive."""
    first = await stage.claimed()
    with stage.work.leases.hold(first):
        await stage.pool.execute("UPDATE publications SET lease_until = now() - interval '1 second'")
        second = await stage.claimed()
        await stage.pool.execute("UPDATE publications SET lease_until = now() + interval '1 second'")
        await stage.work.leases.renew_once()
        untouched = await stage.row()
        with stage.work.leases.hold(second):
            await stage.work.leases.renew_once()
            renewed = await stage.row()

    assert second.epoch == first.epoch + 1
    assert renewed["lease_until"] - untouched["lease_until"] > timedelta(seconds=15)


async def test_claims_are_renewed_while_one_of_them_is_locked(stage):
    """Whoever stops thousands holds their rows for a while; no other claim lapses for that."""
    tenant = await seed_tenant(stage.pool, instagram=[("1", "token"), ("2", "token")])
    ids = await seed_publications(stage.pool, tenant)
    locked, free = [await claim_of(stage, publication_id) for publication_id in ids]
    before = await stage.pool.fetch("SELECT id, lease_until FROM publications WHERE id = ANY($1)", ids)

    with stage.work.leases.hold(locked), stage.work.leases.hold(free):
        async with stage.pool.acquire() as other, other.transaction():
            await other.execute("SELECT 1 FROM publications WHERE id = $1 FOR NO KEY UPDATE", locked.id)
            async with asyncio.timeout(5):
                await stage.work.leases.renew_once()

    after = await stage.pool.fetch("SELECT id, lease_until FROM publications WHERE id = ANY($1)", ids)
    assert {row["id"] for row in {*after} - {*before}} == {free.id}


async def test_an_account_that_is_locked_for_long_makes_nobody_wait(stage):
    """An import holds thousands of accounts; their claims come back later."""
    async with stage.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT id FROM accounts FOR NO KEY UPDATE")
        async with asyncio.timeout(5):
            await stage.run()

    message = await stage.pool.fetchrow("SELECT due_at > now() AS later FROM outbox WHERE type = 'post:publish'")
    assert (await stage.row())["state"] == "scheduled"
    assert message["later"]


async def test_who_finds_the_account_busy_comes_back_ever_more_rarely(stage):
    """Ten thousand that wait for one account are no ten thousand claims every two seconds."""
    waits = []
    async with stage.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT id FROM accounts FOR NO KEY UPDATE")
        for _ in range(14):
            await deliver_what_waits(stage)
            waits.append(await stage.pool.fetchval(_IN_S))

    assert 0 < waits[0] <= 3
    assert 40 < waits[-1] <= 90
    assert await stage.pool.fetchval("SELECT next_attempt_at < now() FROM publications")


async def test_a_token_that_the_key_ring_does_not_open_waits_for_the_operator(stage):
    """The publication is not failed for a key that is missing."""
    await stage.pool.execute("UPDATE account_tokens SET key_id = 'lost'")

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("scheduled", "token_unreadable", 0)


async def test_a_paused_account_holds_its_publications(stage):
    """The claim is refused and the reason is on the row."""
    await stage.pool.execute("UPDATE accounts SET state = 'PAUSED', paused_from = 'ACTIVE'")

    await stage.run()

    row = await stage.row()
    assert (row["state"], row["reason"], row["attempt"]) == ("held", "account_paused", 0)
