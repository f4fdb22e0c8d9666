"""What others do between two statements of a try: nothing is held for ever, nothing waits for what is over."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from services.publisher.effects import judge
from services.publisher.result import write_result
from services.publisher.results import Published
from shared.accounts import AccountState, Owner, transition_account
from shared.instagram import GraphError
from shared.instagram.error_rules import RULES
from shared.publications import release_held
from tests.waiting import until

_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@asynccontextmanager
async def transaction_of_another(stage):
    async with stage.pool.acquire() as connection, connection.transaction():
        yield connection


async def somebody_waits(stage):
    await until(lambda: stage.pool.fetchval(_WAITS), what="a statement that waits for the lock")


def refused_token():
    [rule] = [rule for rule in RULES if (rule.code, rule.subcode) == (190, 463)]
    return judge(
        GraphError(
            operation="create_container",
            rule=rule,
            code=190,
            subcode=463,
            message="",
            http_status=400,
            fbtrace_id=None,
            is_transient=False,
        )
    )


async def account_state(stage):
    return await stage.pool.fetchval("SELECT state FROM accounts WHERE id = $1", stage.tenant.account_ids[0])


@pytest.mark.parametrize("result", [Published(media_id="1", permalink=None), refused_token()], ids=["live", "held"])
async def test_a_result_takes_its_locks_in_the_order_of_claims(stage, result):
    """The account first: a takeover that holds the account and wants the publication never waits in a circle."""
    await stage.pool.execute("UPDATE accounts SET state = 'NEW'")
    publication = await stage.claimed()

    async with transaction_of_another(stage) as another:
        await another.execute("SELECT 1 FROM accounts WHERE id = $1 FOR NO KEY UPDATE", publication.account_id)
        writing = asyncio.create_task(write_result(stage.work, publication, result))
        await somebody_waits(stage)
        free = await another.fetchval("SELECT 1 FROM publications WHERE id = $1 FOR UPDATE SKIP LOCKED", publication.id)
    await writing

    assert free == 1
    assert (await stage.row())["state"] in {"published", "held"}


async def test_a_worker_that_is_stopped_while_it_writes_leaves_nothing_to_wait_for(stage, monkeypatch):
    """The row goes on at once, not when the lease runs out."""
    await stage.pool.execute("UPDATE accounts SET state = 'NEW'")
    publish = stage.work.graph.publish_container

    async with transaction_of_another(stage) as importing:

        async def locked_meanwhile(*args):
            await importing.execute("SELECT 1 FROM accounts FOR NO KEY UPDATE")
            return await publish(*args)

        monkeypatch.setattr(stage.work.graph, "publish_container", locked_meanwhile)
        running = asyncio.create_task(stage.run())
        await somebody_waits(stage)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    handed_back = await stage.row()
    await stage.run_when_due()

    assert (handed_back["state"], handed_back["step"]) == ("scheduled", "publish_sent")
    assert (await stage.row())["state"] == "published"
    assert len(await stage.live()) == 1


async def test_what_is_held_while_its_account_comes_back_is_not_forgotten(stage):
    """Whoever revives the account releases what is held; what is written after that must know of it."""
    publication = await stage.claimed()
    await stage.pool.execute("UPDATE accounts SET state = 'NEEDS_REAUTH'")

    async with transaction_of_another(stage) as importing:
        await transition_account(
            importing,
            publication.account_id,
            user_id=publication.user_id,
            target=AccountState.ACTIVE,
            owner=Owner.API,
            reason=None,
        )
        await release_held(importing, user_id=publication.user_id, account_id=publication.account_id, rescue_after_s=60)
        writing = asyncio.create_task(write_result(stage.work, publication, refused_token()))
        await somebody_waits(stage)
    await writing

    assert ((await stage.row())["state"], await account_state(stage)) == ("held", "NEEDS_REAUTH")
