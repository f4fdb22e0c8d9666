"""What PostgreSQL and Redis say of themselves, asked as a service asks: without any special right."""

import shutil
from urllib.parse import urlsplit

import asyncpg
import pytest
from prometheus_client import REGISTRY

from services.scheduler.observe_servers import RedisObserver, observe_database_once, observe_database_size_once
from shared.cache import connect_redis
from shared.database import create_pool
from shared.errors import NotReadyError
from tests.private_redis import Server


def sample(name):
    return REGISTRY.get_sample_value(f"instadistro_{name}") or 0


@pytest.fixture
async def plain_pool(database_url):
    """As a role that owns nothing and may do nothing special."""
    owner = await asyncpg.connect(database_url)
    await owner.execute("DROP ROLE IF EXISTS plain_observer")
    await owner.execute("CREATE ROLE plain_observer LOGIN PASSWORD 'plain'")
    parts = urlsplit(database_url)
    url = parts._replace(netloc=f"plain_observer:plain@{parts.hostname}:{parts.port}").geturl()
    async with await create_pool(url, application_name="test") as pool:
        yield pool, owner
    await owner.execute("DROP ROLE plain_observer")
    await owner.close()


async def test_a_plain_role_sees_how_many_connections_there_are(plain_pool):
    """Those of other roles too, and how many there may be."""
    pool, owner = plain_pool

    await observe_database_once(pool)

    assert 2 <= sample("database_connections") < sample("database_max_connections")
    assert sample("database_max_connections") == int(await owner.fetchval("SHOW max_connections"))


async def test_the_oldest_transaction_of_its_own_role_is_seen(plain_pool):
    """One that stands open keeps vacuum from its work; the look itself is none."""
    pool, _ = plain_pool
    await observe_database_once(pool)
    assert sample("database_oldest_transaction_age_seconds") == 0

    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_sleep(0.2)")
        await observe_database_once(pool)

    assert 0.2 <= sample("database_oldest_transaction_age_seconds") < 30


async def test_the_size_of_the_database_is_told_to_a_plain_role(plain_pool):
    """Some megabytes, even when it is empty."""
    pool, _ = plain_pool

    await observe_database_size_once(pool)

    assert sample("database_size_bytes") > 1_000_000


@pytest.fixture
async def redis(tmp_path):
    """A Redis that may use 3 MB, and the user that Compose gives the services."""
    binary = shutil.which("redis-server") or pytest.fail("redis-server is missing: run make setup")
    server = Server(binary, tmp_path)
    await server.start()
    admin = connect_redis(server.url, operation_s=5)
    await admin.config_set("maxmemory", "3mb")
    await admin.config_set("maxmemory-policy", "allkeys-lru")
    rules = (tmp_path.parent, "+@all", "-@admin")
    await admin.execute_command("ACL", "SETUSER", "service", "on", ">secret", "~*", "&*", *rules[1:])
    client = connect_redis(server.url.replace("//", "//service:secret@"), operation_s=5)
    yield client, admin
    await client.aclose()
    await admin.aclose()
    await server.kill()


async def test_the_user_of_compose_may_ask_redis(redis):
    """INFO is no command of administration."""
    client, _ = redis

    await RedisObserver(client).observe_once()

    assert 500_000 < sample("redis_memory_used_bytes") < 3 * 2**20
    assert sample("redis_memory_max_bytes") == 3 * 2**20


async def test_keys_that_redis_drops_are_counted_from_the_first_look_on(redis):
    """What it dropped before this process began is none of its counter; after a restart of Redis all is new."""
    client, admin = redis
    observer, before = RedisObserver(client), sample("redis_evicted_keys_total")
    await fill(client)
    await observer.observe_once()
    assert sample("redis_evicted_keys_total") == before

    await fill(client)
    await observer.observe_once()

    dropped = sample("redis_evicted_keys_total") - before
    assert dropped > 0
    await admin.config_resetstat()
    await fill(client)
    await observer.observe_once()
    assert sample("redis_evicted_keys_total") - before > dropped


async def fill(client):
    async with client.pipeline(transaction=False) as pipe:
        for number in range(400):
            pipe.set(f"key{number}", "x" * 10_000)
        await pipe.execute()


async def test_a_redis_that_does_not_tell_is_one_sentence(redis):
    """It says what to look at."""
    client, admin = redis
    await admin.execute_command("ACL", "SETUSER", "service", "-info")

    with pytest.raises(NotReadyError, match="may run INFO"):
        await RedisObserver(client).observe_once()
