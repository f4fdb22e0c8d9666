"""Caches that are away, closed, or would not make room."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from deploy.doctor import Level
from deploy.local.binaries import find_binaries
from tests.private_redis import Server

PASSWORD = secrets.token_hex(16)


@pytest.fixture
async def own_redis(patient, enterable_directory):
    """A Redis of this test alone, made as a cache should be, in the patient's settings."""
    binary = find_binaries().redis_server
    assert binary is not None
    server = Server(binary, enterable_directory)
    await server.start()
    async with Redis.from_url(server.url) as client:
        await client.config_set("maxmemory", "64mb")
        await client.config_set("maxmemory-policy", "allkeys-lru")
        patient.environ["REDIS_URL"] = server.url
        yield client
    await server.kill()


async def test_a_redis_that_does_not_let_us_in_is_one_finding(patient):
    """Each reason has its own words, and none the password."""
    place = urlsplit(patient.environ["REDIS_URL"]).netloc.rpartition("@")[2]
    refusals = {
        "refuses the user or the password": f"redis://:{PASSWORD}@{place}/0",
        "nobody listens there": f"redis://:{PASSWORD}@127.0.0.1:1/0",
        "its host name is not known": f"redis://:{PASSWORD}@nope.invalid/0",
        "DB index is out of range": patient.environ["REDIS_URL"].removesuffix("/0") + "/99",
    }

    for words, broken in refusals.items():
        patient.environ["REDIS_URL"] = broken
        finding = await patient.only_ill("redis.connects")

        assert words in finding.says
        assert PASSWORD not in finding.says + finding.do


async def test_a_redis_that_makes_no_room_is_found(patient, own_redis):
    """Without a limit it is a warning; a limit at which it refuses to write is a failure."""
    await own_redis.config_set("maxmemory", "0")
    unlimited = await patient.only_ill("redis.memory", Level.WARNING)
    await own_redis.config_set("maxmemory", "64mb")
    await own_redis.config_set("maxmemory-policy", "noeviction")
    refusing = await patient.only_ill("redis.memory")

    assert "no memory limit" in unlimited.says
    assert "refuse every write" in refusing.says
    assert "allkeys-lru" in refusing.do


async def test_commands_that_are_not_allowed_are_found(patient, own_redis):
    """A user without scripts, then a server that is a replica and takes no writes."""
    await own_redis.execute_command(
        *("ACL", "SETUSER", "cache", "on", f">{PASSWORD}", "~*", "&*", "+@all", "-eval", "-evalsha")
    )
    url = patient.environ["REDIS_URL"]
    patient.environ["REDIS_URL"] = url.replace("://", f"://cache:{PASSWORD}@")
    scripts = await patient.only_ill("redis.commands")
    patient.environ["REDIS_URL"] = url
    await own_redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    replica = await patient.only_ill("redis.commands")

    assert scripts.says.startswith("Redis does not take EVAL, EVALSHA: ")
    assert PASSWORD not in scripts.says
    assert "SET" in replica.says
    assert "primary" in replica.do
