"""The one way to a connection pool, so that every process is seen, bounded and timed alike."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from asyncpg.connection import LoggedQuery
from asyncpg.pool import PoolAcquireContext, PoolConnectionProxy
from prometheus_client import Histogram

from shared.database.measures import count_error, count_lost_connection, count_query, watch_pool
from shared.errors import NotReadyError

Row: TypeAlias = asyncpg.Record
#: What a function that writes takes as its first argument: a connection inside the caller's transaction.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

# The driver's classes are generic for type checkers alone.
if TYPE_CHECKING:
    _AnyPool: TypeAlias = asyncpg.Pool[asyncpg.Record]
else:
    _AnyPool = asyncpg.Pool

# What the driver sends by itself whenever a connection is given back; it would halve every average.
_RESET = "SELECT pg_advisory_unlock_all();"


@dataclass(frozen=True, kw_only=True)
class PoolConfig:
    """Every value of a pool. docs/database.md says why each is what it is."""

    max_size: int = 20  # connections at most
    min_size: int = 2  # connections that stay open however little there is to do
    idle_s: float = 30.0  # a connection above `min_size` that nobody used for so long is closed
    connect_timeout_s: float = 5.0  # until a new connection is open
    acquire_timeout_s: float = 30.0  # until one is free, unless the caller says less
    statement_timeout_ms: int = 30_000  # until the server ends a statement
    # The driver waits a little longer than the server works, so that the server's own error wins.
    command_timeout_s: float = 35.0
    max_queries: int = 50_000  # after so many a connection is made anew, and what the server kept for it is given back
    idle_in_transaction_ms: int = 60_000  # until the server ends a session that holds a transaction open and idle


#: The values of every pool of every process.
POOL_CONFIG = PoolConfig()


class Pool(_AnyPool):
    """asyncpg's pool, but nobody waits in it for ever, and each wait is measured."""

    _waits: Histogram | None = None

    def acquire(self, *, timeout: float | None = None) -> PoolAcquireContext[asyncpg.Record]:
        """A connection, within `timeout` seconds; None takes `POOL_CONFIG.acquire_timeout_s`.

        Raises:
            TimeoutError: all connections were busy, or the server took too long. Try again later.
        """
        return super().acquire(timeout=POOL_CONFIG.acquire_timeout_s if timeout is None else timeout)

    async def release(
        self,
        connection: PoolConnectionProxy[asyncpg.Record],
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's own
    ) -> None:
        """Give a connection back."""
        # Of one that was lost while it was in use, the driver has forgotten who is to be told of its queries.
        if connection._con is None:  # type: ignore[attr-defined]  # noqa: SLF001 - any other way takes ten times as long
            count_lost_connection()
        await super().release(connection, timeout=timeout)

    def measure(self, name: str) -> None:
        """Tell the metrics of this pool from now on, under this name."""
        self._waits = watch_pool(self, name=name)

    async def _acquire(self, timeout: float | None) -> PoolConnectionProxy[asyncpg.Record]:  # noqa: ASYNC109 - the driver's own
        # However a connection is asked for, the driver comes by here.
        began = time.perf_counter()
        try:
            return await super()._acquire(timeout)  # type: ignore[misc,no-any-return]
        except Exception as error:
            count_error(error)
            raise
        finally:
            if self._waits is not None:
                self._waits.observe(time.perf_counter() - began)


async def create_pool(database_url: str, *, application_name: str, max_size: int = POOL_CONFIG.max_size) -> Pool:
    """Open a pool.

    Args:
        database_url: `postgresql://...`.
        application_name: the service, as `pg_stat_activity` and the metrics show it.
        max_size: most connections this process holds.

    Raises:
        NotReadyError: the server refused or did not answer within 5 s. Check DATABASE_URL, or wait for the server.
    """
    config = POOL_CONFIG
    pool = Pool(
        database_url,
        min_size=min(config.min_size, max_size),
        max_size=max_size,
        max_queries=config.max_queries,
        max_inactive_connection_lifetime=config.idle_s,
        init=_watch,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        timeout=config.connect_timeout_s,
        command_timeout=config.command_timeout_s,
        server_settings={
            "application_name": f"instadistro-{application_name}",
            "statement_timeout": str(config.statement_timeout_ms),
            "idle_in_transaction_session_timeout": str(config.idle_in_transaction_ms),
            "timezone": "UTC",
        },
    )
    try:
        await pool
    except (TimeoutError, OSError, asyncpg.PostgresError) as error:
        raise NotReadyError(
            f"PostgreSQL cannot be reached: {error or type(error).__name__}. Check DATABASE_URL."
        ) from error
    pool.measure(application_name)
    return pool


async def _watch(connection: Connection) -> None:
    connection.add_query_logger(_record)


def _record(query: LoggedQuery) -> None:
    if not query.query.startswith(_RESET):
        count_query(query.query, query.elapsed, query.exception)
