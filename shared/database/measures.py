"""What queries and pools tell the metrics. Each query and each acquire pays for this, so it does little."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakSet

import asyncpg
from prometheus_client import Histogram

from shared import metrics
from shared.performance import query_tracker

if TYPE_CHECKING:
    from shared.database.pool import Pool

_KINDS = frozenset({"select", "insert", "update", "delete", "with"})
_OTHER, _CONNECTION = "other", "connection"
# As much of a statement as tells its kind: the whole text would be hashed and kept.
_HEAD_CHARS = 64
_ERRORS: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    # Python's TimeoutError is an OSError, so it comes first.
    ("timeout", (TimeoutError, asyncpg.QueryCanceledError, asyncpg.IdleInTransactionSessionTimeoutError)),
    ("deadlock", (asyncpg.DeadlockDetectedError,)),
    ("serialization", (asyncpg.SerializationError,)),
    ("constraint", (asyncpg.IntegrityConstraintViolationError,)),
    (
        _CONNECTION,
        (
            OSError,
            asyncpg.PostgresConnectionError,
            asyncpg.AdminShutdownError,
            asyncpg.CrashShutdownError,
            asyncpg.CannotConnectNowError,
            asyncpg.TooManyConnectionsError,
        ),
    ),
)
_pools: defaultdict[str, WeakSet[Pool]] = defaultdict(WeakSet)


def count_query(sql: str, seconds: float, error: BaseException | None = None) -> None:
    """A query ended, well or not.

    Args:
        sql: the statement as it was sent.
        seconds: from being sent to its answer.
        error: what it raised.
    """
    query_tracker.record_query(sql, seconds * 1000)
    _seconds_of(sql[:_HEAD_CHARS]).observe(seconds)
    if error is not None:
        count_error(error)


def count_error(error: BaseException) -> None:
    """A query failed, or had no connection to go by. One that was given up by its caller did not fail."""
    if isinstance(error, Exception):
        known = (name for name, types in _ERRORS if isinstance(error, types))
        metrics.query_errors_total.labels(next(known, _OTHER)).inc()


def count_lost_connection() -> None:
    """A connection was lost while it was in use, and its query with it."""
    metrics.query_errors_total.labels(_CONNECTION).inc()


def watch_pool(pool: Pool, *, name: str) -> Histogram:
    """Have a pool's connections told whenever the metrics are asked for.

    Returns:
        What its waits are to be told to.
    """
    _pools[name].add(pool)
    for state, count in (("in_use", _in_use), ("idle", _idle)):
        metrics.pool_connections.labels(name, state).set_function(_sum_of(name, count))
    metrics.pool_max_connections.labels(name).set_function(_sum_of(name, lambda pool: pool.get_max_size()))
    return metrics.pool_wait_seconds.labels(name)


@lru_cache(maxsize=1024)
def _seconds_of(head: str) -> Histogram:
    word, *_ = [*head.lower().split(None, 1), ""]
    return metrics.query_seconds.labels(word if word in _KINDS else _OTHER)


def _in_use(pool: Pool) -> int:
    return pool.get_size() - pool.get_idle_size()


def _idle(pool: Pool) -> int:
    return pool.get_idle_size()


def _sum_of(name: str, count: Callable[[Pool], int]) -> Callable[[], float]:
    """The sum over the open pools of this name, of which a process has one."""
    return lambda: sum(count(pool) for pool in _pools[name] if not pool.is_closing())
