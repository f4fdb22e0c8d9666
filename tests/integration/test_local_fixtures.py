"""What the test suite's own servers promise."""

from __future__ import annotations

import aio_pika
import asyncpg
import pytest
from redis.asyncio import Redis


@pytest.mark.parametrize("_round", [1, 2])
async def test_every_test_has_a_migrated_database_of_its_own(database_url, _round):
    """What one test writes, the next does not see."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        await connection.execute("CREATE TABLE only_once (id int)")
    finally:
        await connection.close()

    assert tables > 0


@pytest.mark.parametrize("_round", [1, 2])
async def test_every_test_has_an_empty_redis(redis_url, _round):
    """A key of one test is gone in the next."""
    async with Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        await client.set("key", "value")


@pytest.mark.parametrize("_round", [1, 2])
async def test_every_test_has_a_virtual_host_of_its_own(amqp_url, _round):
    """A queue of one test is unknown in the next."""
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            await channel.declare_queue("orders", passive=True)
        channel = await connection.channel()
        await channel.declare_queue("orders", durable=True)
