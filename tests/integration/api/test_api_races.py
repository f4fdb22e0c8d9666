"""What two do at the same time: nobody decides by what was so before, and nobody waits in a circle."""

from __future__ import annotations

import asyncio
from uuid import UUID

from shared.publications import release_accounts
from tests.waiting import until
from tests.wishes import in_hours

ADD = "INSERT INTO group_members (user_id, group_id, account_id) VALUES ($1, $2, $3)"
HOLD_GROUP = "SELECT id FROM groups WHERE id = $1 FOR KEY SHARE"
HOLD = "SELECT id FROM publications WHERE id = $1 FOR UPDATE"
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
IS_FREE = "SELECT count(*) FROM (SELECT 1 FROM publications WHERE id = $1 FOR UPDATE SKIP LOCKED) AS free"


async def somebody_waits(gateway) -> None:
    async def waits():
        return await gateway.rows(WAITING)

    await until(waits, what="somebody waits for a lock")


async def test_a_change_that_waited_is_held_against_what_it_finds_then(gateway, alice):
    """Who changes a group by what was read of it is refused if an account came into it while the change waited."""
    [account] = await alice.add_accounts(1)
    group = await alice.add_group([])
    read = await alice.get(f"/v1/groups/{group}")

    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        await connection.execute(HOLD_GROUP, UUID(group))
        await connection.execute(ADD, UUID(alice.user_id), UUID(group), UUID(account))
        headers = {"If-Match": read.headers["ETag"]}
        change = asyncio.create_task(alice.call("PATCH", f"/v1/groups/{group}", json={"name": "new"}, headers=headers))
        await somebody_waits(gateway)

    assert ((await change).status, (await change).body["code"]) == (412, "version_mismatch")


async def test_releasing_for_many_accounts_locks_publications_in_the_order_of_all(gateway, alice):
    """By their ids, whatever the order of their accounts: so it never waits in a circle with a change of a post."""
    first, second = sorted(await alice.add_accounts(2))
    post = await alice.add_post()
    wish = {"publish_at": in_hours(5)}
    made = [
        (await alice.post(f"/v1/posts/{post}/publish", json={"account_ids": [account], **wish})).body["publications"][0]
        for account in (second, first)
    ]
    await gateway.rows("UPDATE publications SET state = 'held', reason = 'account_paused'")

    async def release():
        async with gateway.deps.pool.acquire() as connection, connection.transaction():
            ids = [UUID(first), UUID(second)]
            return await release_accounts(connection, user_id=UUID(alice.user_id), account_ids=ids, rescue_after_s=60.0)

    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        await connection.execute(HOLD, UUID(made[0]))
        releasing = asyncio.create_task(release())
        await somebody_waits(gateway)
        free = await connection.fetchval(IS_FREE, UUID(made[1]))

    assert free == 1
    assert await releasing == 2


async def test_imports_that_wait_for_each_other_leave_connections_to_others(gateway, alice, bob):
    """Of one tenant's imports only some are in the database at a time, and each is done in the end."""
    header = "username,instagram_user_id,access_token"

    async with gateway.deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT id FROM users WHERE id = $1 FOR UPDATE", UUID(alice.user_id))
        imports = [
            asyncio.create_task(alice.import_csv(f"{header}\ncafe_{number},{number},TOKEN-not-real"))
            for number in range(1, 9)
        ]
        await somebody_waits(gateway)
        others = [(await bob.get("/v1/groups?count=true")).status for _ in range(10)]
        waiting = len(await gateway.rows(WAITING))

    assert others == [200] * 10
    assert waiting <= 4
    assert [(await one).status for one in imports] == [200] * 8
