"""Claims, leases and refusals of the publisher."""

import asyncio
from datetime import timedelta


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


async def test_an_account_that_is_locked_for_long_makes_nobody_wait(stage):
    """An import holds thousands of accounts; their claims come back later."""
    async with stage.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT id FROM accounts FOR NO KEY UPDATE")
        async with asyncio.timeout(5):
            await stage.run()

    message = await stage.pool.fetchrow("SELECT due_at > now() AS later FROM outbox WHERE type = 'post:publish'")
    assert (await stage.row())["state"] == "scheduled"
    assert message["later"]


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
