"""The one way to a connection pool, so that every process is seen, bounded and timed alike."""

from __future__ import annotations

from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from shared.errors import NotReadyError

Row: TypeAlias = asyncpg.Record
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
#: What a function that writes takes as its first argument: a connection inside the caller's transaction.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

_MIN_SIZE = 2
_MAX_SIZE = 20
_IDLE_S = 30.0
_CONNECT_TIMEOUT_S = 5.0
_STATEMENT_TIMEOUT_MS = 30_000
# A command waits for its answer a little longer than the server works on it, so that the server's own error wins.
_COMMAND_TIMEOUT_S = _STATEMENT_TIMEOUT_MS / 1000 + 5


async def create_pool(database_url: str, *, application_name: str, max_size: int = _MAX_SIZE) -> Pool:
    """Open a pool.

    Args:
        database_url: `postgresql://...`.
        application_name: the service, as `pg_stat_activity` shows it.
        max_size: most connections this process holds.

    Raises:
        NotReadyError: the server refused or did not answer within 5 s. Check DATABASE_URL, or wait for the server.
    """
    try:
        return await asyncpg.create_pool(
            database_url,
            min_size=min(_MIN_SIZE, max_size),
            max_size=max_size,
            max_inactive_connection_lifetime=_IDLE_S,
            timeout=_CONNECT_TIMEOUT_S,
            command_timeout=_COMMAND_TIMEOUT_S,
            server_settings={
                "application_name": f"instadistro-{application_name}",
                "statement_timeout": str(_STATEMENT_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(2 * _STATEMENT_TIMEOUT_MS),
                "timezone": "UTC",
            },
        )
    except (TimeoutError, OSError, asyncpg.PostgresError) as error:
        raise NotReadyError(
            f"PostgreSQL cannot be reached: {error or type(error).__name__}. Check DATABASE_URL."
        ) from error
