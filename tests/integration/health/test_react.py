"""Events have accounts judged, on real servers: at once, together, and whatever becomes of broker and listener."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aio_pika
import pytest
from aio_pika import ExchangeType
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from services.health.react import QUEUE, react_to_events
from services.health.rescore import Clinic
from shared.cache import open_cache
from shared.database import create_pool
from shared.outbox import EVENTS, Event, record_events
from tests.seeds import Tenant, seed_tenant
from tests.waiting import until


@dataclass(frozen=True, kw_only=True)
class World:
    """A tenant, and the broker that announces what happens to it."""

    clinic: Clinic
    tenant: Tenant
    exchange: aio_pika.abc.AbstractExchange
    channel: aio_pika.abc.AbstractChannel
    amqp_url: str

    async def announce(self, event_type, subject, **payload):
        """An event, in the very words in which the outbox announces it."""
        pool = self.clinic.pool
        event = Event(user_id=self.tenant.user_id, type=event_type, subject=subject, payload=payload)
        async with pool.acquire() as connection, connection.transaction():
            await record_events(connection, [event])
        body = await pool.fetchval("SELECT payload FROM outbox WHERE subject = $1", str(event.id))
        await self.exchange.publish(aio_pika.Message(body.encode()), routing_key=event_type, timeout=5)

    async def judged(self):
        return await self.clinic.pool.fetchval("SELECT count(*) FROM health_scores")

    async def count_is(self, count):
        async def is_so():
            return await self.judged() == count

        await until(is_so, what=f"{count} accounts judged")

    async def waits(self):
        """Messages that are in the queue and delivered to nobody."""
        queue = await self.channel.declare_queue(QUEUE, passive=True)
        return queue.declaration_result.message_count

    @asynccontextmanager
    async def listening(self):
        """The health service listens while the context lasts."""
        stop = asyncio.Event()
        task = asyncio.create_task(react_to_events(self.clinic, [self.amqp_url], stop))
        try:
            await until(self.has_listener, what="a listener")
            yield
        finally:
            stop.set()
            await task

    async def has_listener(self):
        connection = await aio_pika.connect(self.amqp_url)
        async with connection:
            channel = await connection.channel()
            try:
                queue = await channel.declare_queue(QUEUE, passive=True)
            except aio_pika.exceptions.ChannelNotFoundEntity:
                return False
            return (queue.declaration_result.consumer_count or 0) > 0


@pytest.fixture
async def world(database_url, redis_url, amqp_url):
    """30 accounts, none of them judged."""
    async with (
        await create_pool(database_url, application_name="test") as pool,
        open_cache(redis_url) as cache,
        await aio_pika.connect(amqp_url) as connection,
    ):
        channel = await connection.channel()
        exchange = await channel.declare_exchange(EVENTS, ExchangeType.TOPIC, durable=True)
        yield World(
            clinic=Clinic(pool=pool, cache=cache, rescue_after_s=60.0),
            tenant=await seed_tenant(pool, instagram=[(f"1784140000000{n:04}", "token") for n in range(30)]),
            exchange=exchange,
            channel=channel,
            amqp_url=amqp_url,
        )


@pytest.mark.parametrize(
    "event_type", ["account.restricted", "account.token_refreshed", "publication.published", "publication.deferred"]
)
async def test_an_event_has_its_account_judged(world, event_type):
    """Events of accounts name it as their subject, those of publications in their data."""
    account_id = world.tenant.account_ids[3]
    subject = account_id if event_type.startswith("account") else uuid7()

    async with world.listening():
        await world.announce(event_type, subject, account_id=str(account_id))
        await world.count_is(1)

    assert await world.clinic.pool.fetchval("SELECT account_id FROM health_scores") == account_id


async def test_what_a_score_brings_about_does_not_have_it_judged_again(world):
    """A change of band is told to others; to the judge it is no news."""
    told = [world.tenant.account_ids[0], world.tenant.account_ids[1]]

    async with world.listening():
        await world.announce("account.health_changed", told[0])
        await world.announce("account.caution", told[0])
        await world.announce("account.restricted", told[1])
        await world.count_is(1)

    assert await world.clinic.pool.fetchval("SELECT account_id FROM health_scores") == told[1]


async def test_many_events_at_once_are_judged_together(world):
    """However many come: few batches, each account once in each."""
    batches = "instadistro_health_reaction_accounts_count"
    before = REGISTRY.get_sample_value(batches) or 0

    async with world.listening():
        await asyncio.gather(
            *(
                world.announce("account.changed", account_id)
                for account_id in world.tenant.account_ids
                for _ in range(3)
            )
        )
        await world.count_is(30)

    assert (REGISTRY.get_sample_value(batches) or 0) - before < 30


async def test_what_is_announced_while_nobody_listens_waits(world):
    """The queue is there for the next who listens, one for all replicas."""
    async with world.listening():
        pass
    await world.announce("account.connected", world.tenant.account_ids[0])
    waiting = await world.waits()

    async with world.listening():
        await world.count_is(1)

        async def is_empty():
            return not await world.waits()

        await until(is_empty, what="the message to be acknowledged")

    assert waiting == 1


async def test_what_cannot_be_read_is_dropped_and_holds_up_nobody(world):
    """Neither foreign words nor an account that is gone end the listening."""
    async with world.listening():
        await world.exchange.publish(aio_pika.Message(b"not JSON"), routing_key="publication.failed")
        await world.announce("publication.failed", uuid7())
        await world.announce("account.disconnected", uuid7())
        await world.announce("account.connected", world.tenant.account_ids[0])
        await world.count_is(1)
        await world.announce("account.connected", world.tenant.account_ids[1])
        await world.count_is(2)

    # The last of all may not have been acknowledged yet.
    assert await world.waits() <= 1


async def test_a_listener_whose_queue_was_deleted_makes_it_anew(world):
    """A consumer that the broker has cancelled is up and deaf no longer than it takes to notice."""
    async with world.listening():
        await world.channel.queue_delete(QUEUE)
        await until(world.has_listener, what="a listener at a new queue")
        await world.announce("account.connected", world.tenant.account_ids[0])
        await world.count_is(1)
