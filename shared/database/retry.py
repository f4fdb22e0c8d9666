"""Transactions that are tried again where trying again can do no harm."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import asyncpg
import structlog

from shared.database.pool import POOL_CONFIG, Connection, Pool

T = TypeVar("T")
_ATTEMPTS = 6
_WITHIN_S = 20.0
_FIRST_WAIT_S = 0.05
_MOST_WAIT_S = 4.0

# The server undid the transaction, or would not begin to write.
_UNDONE = (asyncpg.TransactionRollbackError, asyncpg.ReadOnlySQLTransactionError)
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
# They tell of a lost connection only if it is lost: a misused one and a statement's deadline look the same.
_PERHAPS_LOST = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_NO_CONNECTION = (OSError, asyncpg.TooManyConnectionsError, *_LOST)

#: What a statement raises while the server is away or hands over to another: no fault of whoever sent it.
DATABASE_AWAY = (*_NO_CONNECTION, asyncpg.ReadOnlySQLTransactionError)

log = structlog.get_logger()


async def run_in_transaction(pool: Pool, work: Callable[[Connection], Awaitable[T]], *, idempotent: bool = False) -> T:
    """Run `work` in a transaction; again, from its beginning, if the server undid it or the connection was lost.

    That is: serialization failure, deadlock, failover. At most 6 tries, none begun later than 20 s after the first,
    with growing, jittered waits between them. A connection that is lost while the transaction commits leaves open
    whether it did; then only what is idempotent is tried again.

    Args:
        pool: the database.
        work: gets a connection inside the transaction. It may run several times, so it changes nothing else.
        idempotent: doing it twice is the same as doing it once.

    Raises:
        Exception: what `work` raised, or the database's last failure as it is. If that is a lost connection, and the
            work is not idempotent, it may have been committed: look before you try again.
    """
    clock = asyncio.get_running_loop().time
    ends_at = clock() + _WITHIN_S
    attempt = 1
    while True:
        course = _Course()
        try:
            return await _run(pool, work, course, acquire_s=min(POOL_CONFIG.acquire_timeout_s, ends_at - clock()))
        except Exception as error:
            wait_s = _wait_s(attempt)
            last = attempt == _ATTEMPTS or clock() + wait_s >= ends_at
            if last or not course.may_be_run_again(error, idempotent=idempotent):
                raise
            log.warning("transaction.again", error=str(error) or type(error).__name__, attempt=attempt)
            if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                # The connections that are open lead to a server that is the primary no more.
                await pool.expire_connections()
        await asyncio.sleep(wait_s)
        attempt += 1


@dataclass(kw_only=True)
class _Course:
    """How far one try came."""

    connected: bool = False
    committing: bool = False
    closed: bool = False  # the connection was closed when the try failed

    def may_be_run_again(self, error: Exception, *, idempotent: bool) -> bool:
        """Whether another try may succeed, and no harm comes of it."""
        if not self.connected:
            return isinstance(error, _NO_CONNECTION)
        if isinstance(error, _UNDONE) and not isinstance(error, asyncpg.StatementCompletionUnknownError):
            return True
        lost = isinstance(error, _LOST) or (isinstance(error, _PERHAPS_LOST) and self.closed)
        return lost and (idempotent or not self.committing)


async def _run(pool: Pool, work: Callable[[Connection], Awaitable[T]], course: _Course, *, acquire_s: float) -> T:
    connection = await pool.acquire(timeout=acquire_s)
    course.connected = True
    try:
        transaction = connection.transaction()
        await transaction.start()
        try:
            result = await work(connection)
        except BaseException:
            with contextlib.suppress(asyncpg.PostgresError, *_PERHAPS_LOST):
                await transaction.rollback()
            raise
        course.committing = not _is_closed(connection)
        await transaction.commit()
    except Exception:
        course.closed = _is_closed(connection)
        raise
    finally:
        # The pool does away with a connection that cannot be given back; what was done with it stands.
        with contextlib.suppress(asyncpg.PostgresError, *_PERHAPS_LOST):
            await pool.release(connection)
    return result


def _is_closed(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # the pool has let go of it already


def _wait_s(attempt: int) -> float:
    most_s = min(_FIRST_WAIT_S * 4.0 ** (attempt - 1), _MOST_WAIT_S)
    return random.uniform(most_s / 2, most_s)  # noqa: S311 - jitter, no secret
