"""Redis: is it there, does it let us in, may we do what we do, will it make room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from deploy.doctor.check import Area, Check, RefusedError
from deploy.doctor.finding import Verdict, failed, ok, skipped, warning
from deploy.doctor.network import place_of, unreachable
from deploy.doctor.setup import Setup

_PATIENCE_S = 3.0
_KEY = "instadistro:doctor"
# Each command of the product once. They are queued and given up again, so that none is carried out; the server refuses
# a command that this user may not give, or that it does not take now, when it is queued.
_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("GET", _KEY),
    ("MGET", _KEY),
    ("SET", _KEY, "1", "NX", "PX", "1"),
    ("DEL", _KEY),
    ("UNLINK", _KEY),
    ("INCRBY", _KEY, "1"),
    ("EXPIRE", _KEY, "1"),
    ("PTTL", _KEY),
    ("PFADD", _KEY, "1"),
    ("PFCOUNT", _KEY),
    ("TIME",),
    ("EVAL", "return 1", "0"),
    ("EVALSHA", "0" * 40, "0"),
    ("SCRIPT", "LOAD", "return 1"),
)
_MB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class _Cache:
    """A Redis that let us in."""

    client: Redis
    url: str


@asynccontextmanager
async def _connect(setup: Setup) -> AsyncIterator[_Cache]:
    url = setup.settings.redis_url
    client = Redis.from_url(
        url,
        socket_timeout=_PATIENCE_S,
        socket_connect_timeout=_PATIENCE_S,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    try:
        await _greet(client, url)
        yield _Cache(client=client, url=url)
    finally:
        await client.aclose()


async def _greet(client: Redis, url: str) -> None:
    server = f"Redis at {place_of(url)}"
    try:
        await client.ping()
    except AuthenticationError as error:
        raise RefusedError(
            f"{server} refuses the user or the password.",
            do="Correct them in REDIS_URL (redis://USER:PASSWORD@HOST:PORT/0), or in the server's ACL.",
        ) from error
    except ResponseError as error:
        raise RefusedError(
            f"{server} refuses the connection: {error}.",
            do="Correct the database's number in REDIS_URL, or the server.",
        ) from error
    except (RedisError, OSError) as error:
        raise unreachable(error, server="Redis", url=url, setting="REDIS_URL") from error


async def look_at_server(cache: _Cache) -> Verdict:
    """That it let us in."""
    return ok(f"Redis at {place_of(cache.url)} answers.")


async def look_at_commands(cache: _Cache) -> Verdict:
    """Whether this user may give the commands of the product, and the server takes them."""
    connection = await cache.client.connection_pool.get_connection()  # type: ignore[no-untyped-call] # its stub has none
    refused: dict[str, str] = {}
    try:
        for command in (("MULTI",), *_COMMANDS):
            await connection.send_command(*command)
            try:
                await connection.read_response()
            except ResponseError as error:
                refused[command[0]] = str(error)
        await connection.send_command("DISCARD")
        await connection.read_response()
    finally:
        await connection.disconnect()
    if not refused:
        return ok("Redis takes every command of this system.")
    return failed(
        f"Redis does not take {', '.join(refused)}: {next(iter(refused.values()))}.",
        do="Allow the user of REDIS_URL these commands on all keys (ACL SETUSER ... +@all -@admin ~*); where it is a"
        " replica, name the primary.",
    )


async def look_at_memory(cache: _Cache) -> Verdict:
    """Whether Redis makes room by itself, as a cache must."""
    try:
        memory = await cache.client.info("memory")
    except ResponseError:
        return skipped("The user of REDIS_URL may not give INFO, so that the memory limit is not known.")
    most, policy = int(memory.get("maxmemory", 0)), str(memory.get("maxmemory_policy", ""))
    if policy == "noeviction" and most:
        return failed(
            f"Redis keeps to {most // _MB} MB and will refuse every write when they are used (policy noeviction).",
            do="CONFIG SET maxmemory-policy allkeys-lru, and in its configuration file: what it holds is a cache.",
        )
    if not most:
        return warning(
            "Redis has no memory limit: it grows until the machine has none left.",
            do="CONFIG SET maxmemory 256mb and maxmemory-policy allkeys-lru, and in its configuration file.",
        )
    return ok(f"Redis keeps to {most // _MB} MB and makes room by {policy}.")


REDIS = Area(
    name="redis",
    enter=_connect,
    checks=(
        Check(name="redis.connects", look=look_at_server),
        Check(name="redis.commands", look=look_at_commands),
        Check(name="redis.memory", look=look_at_memory),
    ),
)
