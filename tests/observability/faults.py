"""Faults that are made in a running system, and the alerts that each must fire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import aio_pika
import asyncpg

from shared.jobs.topology import work_queue
from tests.observability.ground import Ground
from tests.waiting import until

_EARLY = """
    UPDATE publications
    SET published_at = publish_at - interval '1 hour', updated_at = now()
    WHERE id = (SELECT id FROM publications WHERE state = 'published' LIMIT 1)
"""
_NOT_EARLY = "UPDATE publications SET published_at = publish_at WHERE published_at < publish_at"
_UNKNOWN = """
    UPDATE publications
    SET state = 'outcome_unknown', rescue_at = now() + interval '1 day'
    WHERE id = (SELECT id FROM publications WHERE state = 'published' LIMIT 1)
"""
_KNOWN = "UPDATE publications SET state = 'published' WHERE state = 'outcome_unknown'"
_ENDED = "UPDATE accounts SET token_expires_at = now() - interval '1 minute'"
_NOT_ENDED = "UPDATE accounts SET token_expires_at = now() + interval '1 year'"
# A frozen worker may hold the locks of some rows.
_LONG_DUE = """
    UPDATE publications
    SET next_attempt_at = now() - interval '10 minutes'
    WHERE id IN (SELECT id FROM publications WHERE state = 'scheduled' FOR UPDATE SKIP LOCKED)
"""
_TAKEN_OVER = """
    UPDATE publications
    SET epoch = epoch + 1, lease_owner = 'another worker', lease_until = now() + interval '1 second',
        rescue_at = now() + interval '5 seconds'
    WHERE id IN (SELECT id FROM publications WHERE state = 'publishing' FOR UPDATE SKIP LOCKED)
"""
_REFUSED = "SELECT count(*) >= 3 FROM accounts WHERE state = 'NEEDS_REAUTH'"
_API_BORN = 'process_start_time_seconds{service="api"}'
_MANY = 1_000_000
_BUDGET = ("ErrorBudgetBurnsFast of api_availability", "ErrorBudgetBurnsSlowly of api_availability")


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong for as long as its context lasts."""

    what: str
    alerts: frozenset[str]
    make: Callable[[Ground], AbstractAsyncContextManager[None]]
    deadline_s: float = 60.0


async def fire(ground: Ground, fault: Fault) -> None:
    """Make the fault, wait until Prometheus has shown each of its alerts, and heal it.

    Raises:
        AssertionError: an alert did not show, or was there before.
    """
    missing = set(fault.alerts)

    async def all_silent() -> bool:
        return missing.isdisjoint(await ground.prometheus.alerts())

    async def all_shown() -> bool:
        missing.difference_update(await ground.prometheus.alerts())
        return not missing

    await until(all_silent, what=f"silence before {fault.what}")  # or they would prove nothing
    async with fault.make(ground):
        try:
            await until(all_shown, what="alerts", deadline_s=fault.deadline_s)
        except AssertionError:
            raise AssertionError(f"{', '.join(sorted(missing))} did not fire: {fault.what}") from None


@asynccontextmanager
async def _broken_promise(ground: Ground) -> AsyncIterator[None]:
    await ground.database.execute(_EARLY)
    await ground.start_again("scheduler")  # it looks as soon as it starts, then every minute
    yield
    await ground.database.execute(_NOT_EARLY)


@asynccontextmanager
async def _broker_without_memory(ground: Ground) -> AsyncIterator[None]:
    async with ground.broker.short_of_memory():
        yield


@asynccontextmanager
async def _nothing_goes_out(ground: Ground) -> AsyncIterator[None]:
    async with ground.broker.short_of_memory():
        await ground.distribute()
        yield


@asynccontextmanager
async def _redis_frozen(ground: Ground) -> AsyncIterator[None]:
    async with ground.frozen("redis"):
        await ground.api.me()
        yield


@asynccontextmanager
async def _publisher_frozen(ground: Ground) -> AsyncIterator[None]:
    slow = {"endpoint": "create_container", "kind": "slow_processing", "seconds": 5, "times": _MANY}
    await ground.emulator("POST", "faults", json=slow)
    await ground.distribute()
    await ground.publishing()
    async with ground.frozen("publisher"):
        await ground.distribute()
        await ground.database.execute(_LONG_DUE)
        yield
    await ground.emulator("DELETE", "faults")


@asynccontextmanager
async def _leases_lost(ground: Ground) -> AsyncIterator[None]:
    async with _publisher_frozen(ground):
        await ground.database.execute(_TAKEN_OVER)
    yield


@asynccontextmanager
async def _too_late(ground: Ground) -> AsyncIterator[None]:
    async with ground.frozen("publisher"):
        await ground.distribute(max_lateness_s=10)
        await ground.distribute(max_lateness_s=10)
        yield


@asynccontextmanager
async def _platform_away(ground: Ground) -> AsyncIterator[None]:
    await ground.emulator("POST", "faults", json={"endpoint": "any", "kind": "drop_before", "times": _MANY})
    await ground.distribute()
    yield
    await ground.emulator("DELETE", "faults")


@asynccontextmanager
async def _tokens_refused(ground: Ground) -> AsyncIterator[None]:
    await ground.emulator("POST", "faults", json={"endpoint": "any", "kind": "token_revoked", "times": _MANY})
    await ground.distribute()
    await until(lambda: ground.database.fetchval(_REFUSED), what="three accounts that must log in again")
    await ground.start_again("scheduler")
    yield
    await ground.emulator("DELETE", "faults")


@asynccontextmanager
async def _tokens_ended(ground: Ground) -> AsyncIterator[None]:
    await ground.database.execute(_ENDED)
    await ground.start_again("scheduler")
    yield
    await ground.database.execute(_NOT_ENDED)


@asynccontextmanager
async def _unreadable_job(ground: Ground) -> AsyncIterator[None]:
    async with await aio_pika.connect(ground.system.environment["AMQP_URL"], timeout=10) as connection:
        channel = await connection.channel()
        await channel.default_exchange.publish(aio_pika.Message(b"\x00"), work_queue("health"), timeout=10)
    yield
    await ground.database.execute("DELETE FROM dead_jobs")


@asynccontextmanager
async def _outcome_unknown(ground: Ground) -> AsyncIterator[None]:
    await ground.database.execute(_UNKNOWN)
    yield
    await ground.database.execute(_KNOWN)


@asynccontextmanager
async def _connections_taken(ground: Ground) -> AsyncIterator[None]:
    most = int(await ground.database.fetchval("SELECT current_setting('max_connections')"))
    used = await ground.database.fetchval("SELECT count(*) FROM pg_stat_activity")
    async with AsyncExitStack() as stack:
        for _ in range(int(most * 0.9) - used):
            connection = await asyncpg.connect(ground.system.environment["DATABASE_URL"], timeout=10)
            stack.push_async_callback(connection.close)
        yield


@asynccontextmanager
async def _api_dies(ground: Ground) -> AsyncIterator[None]:
    for _ in range(4):
        before = await ground.prometheus.values(_API_BORN)
        await ground.start_again("api")
        await until(partial(_another, ground, before), what="the new process in Prometheus")
    yield


async def _another(ground: Ground, before: list[float]) -> bool:
    return await ground.prometheus.values(_API_BORN) not in ([], before)


@asynccontextmanager
async def _database_frozen(ground: Ground) -> AsyncIterator[None]:
    async with ground.frozen("postgres"):
        asking = asyncio.create_task(_ask_in_vain(ground))
        try:
            yield
        finally:
            asking.cancel()


async def _ask_in_vain(ground: Ground) -> None:
    while True:
        with suppress(TimeoutError):
            await ground.ask("/v1/posts")


#: In the order in which they are made; those of `make test`.
SHORT = (
    Fault("a publication that went live before its time", frozenset({"InvariantBroken"}), _broken_promise),
    Fault("the broker is short of memory", frozenset({"BrokerBlocked"}), _broker_without_memory),
    Fault("Redis stands still", frozenset({"RedisAway"}), _redis_frozen),
    Fault("the publisher stands still", frozenset({"ServiceDown", "TargetMissing"}), _publisher_frozen),
)
#: Those that take minutes.
LONG = (
    Fault("a publication of which nobody knows the outcome", frozenset({"OutcomesUnknown"}), _outcome_unknown),
    Fault("a job that nobody can read", frozenset({"DeadJobsWait"}), _unreadable_job),
    Fault("tokens have ended", frozenset({"TokensEnding", "TokensDead"}), _tokens_ended),
    Fault(
        "other clients take the connections of PostgreSQL", frozenset({"DatabaseConnectionsHigh"}), _connections_taken
    ),
    Fault("the api dies again and again", frozenset({"ServiceRestarts"}), _api_dies),
    Fault("another worker took over what a publisher worked on", frozenset({"LeasesLost"}), _leases_lost),
    Fault("publications come too late", frozenset({"PublicationsMissed"}), _too_late, deadline_s=150.0),
    Fault(
        "the publisher stands still for a minute",
        frozenset({"UrgentJobsWait", "PublicationsStuck", "LeasesLapsed", "QueueWithoutConsumers"}),
        _publisher_frozen,
        deadline_s=300.0,
    ),
    Fault(
        "the broker is short of memory for a minute", frozenset({"OutboxStuck"}), _nothing_goes_out, deadline_s=150.0
    ),
    Fault("the platform does not answer", frozenset({"PlatformDown"}), _platform_away, deadline_s=150.0),
    Fault("the platform refuses tokens", frozenset({"ManyAccountsNeedReauth"}), _tokens_refused, deadline_s=90.0),
    Fault(
        "PostgreSQL stands still",
        frozenset({"DependencyDown", "LoopStalled", *_BUDGET}),
        _database_frozen,
        deadline_s=420.0,
    ),
)
