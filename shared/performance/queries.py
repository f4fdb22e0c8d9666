"""Every query of this process, counted and timed, in memory that does not grow."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from datetime import UTC, datetime
from typing import TypedDict

import structlog

from shared.performance.spent import add_query_time

log = structlog.get_logger()
_SLOW_MS = 1000.0
_RECENT_MAX = 20
_STATEMENTS_MAX = 200
_TOP_MAX = 10
_KEPT_CHARS_MAX = 4000  # of a statement as it was sent: enough to tell any two of ours apart
_SHOWN_CHARS_MAX = 300  # keeps a report in one line of any log collector, 16 KiB
_GAP = " … "


class RecentQuery(TypedDict):
    """One query that ran lately."""

    statement: str
    duration_ms: float
    at: str  # when it ended, RFC 3339


class StatementStats(TypedDict):
    """All runs of one statement."""

    statement: str
    count: int
    total_ms: float
    avg_ms: float
    max_ms: float


class QueryStats(TypedDict):
    """What the queries of this process cost since it began; durations in milliseconds."""

    total_queries: int
    avg_duration: float
    slow_queries: int  # over one second
    recent_queries: list[RecentQuery]  # the last 20, newest first
    top_statements: list[StatementStats]  # the 10 that took most time in all, of the 200 seen last


class _Runs:
    __slots__ = ("count", "max_ms", "total_ms")

    def __init__(self) -> None:
        self.count = 0
        self.total_ms = 0.0
        self.max_ms = 0.0


class QueryTracker:
    """Told of each query with its text and time, never its arguments."""

    def __init__(self) -> None:
        self._total = 0
        self._total_ms = 0.0
        self._slow = 0
        self._recent: deque[tuple[str, float, float]] = deque(maxlen=_RECENT_MAX)
        self._statements: OrderedDict[str, _Runs] = OrderedDict()

    def record_query(self, sql: str, ms: float) -> None:
        """A query ended, well or not. Cheap enough to be told of every one; slow ones are logged.

        Args:
            sql: the statement as it was sent, with its parameters as `$1`.
            ms: how long it took, in milliseconds.
        """
        if len(sql) > _KEPT_CHARS_MAX:
            sql = sql[:_KEPT_CHARS_MAX]
        # Each query of the process pays for this, so it stands in one piece.
        runs = self._statements.get(sql)
        if runs is None:
            runs = self._statements[sql] = _Runs()
            if len(self._statements) > _STATEMENTS_MAX:
                self._statements.popitem(last=False)
        else:
            self._statements.move_to_end(sql)
        add_query_time(ms)
        runs.count += 1
        runs.total_ms += ms
        if ms > runs.max_ms:  # noqa: PLR1730 - calling max() takes twice as long
            runs.max_ms = ms
        self._total += 1
        self._total_ms += ms
        self._recent.append((sql, ms, time.time()))
        if ms > _SLOW_MS:
            self._slow += 1
            log.warning("query.slow", statement=_shown(sql), duration_ms=round(ms))

    def get_stats(self) -> QueryStats:
        """What the queries cost so far."""
        top = sorted(self._statements.items(), key=lambda item: item[1].total_ms, reverse=True)[:_TOP_MAX]
        return QueryStats(
            total_queries=self._total,
            avg_duration=_rounded(self._total_ms / max(1, self._total)),
            slow_queries=self._slow,
            recent_queries=[_recent(*query) for query in reversed(self._recent)],
            top_statements=[_statement(sql, runs) for sql, runs in top],
        )


def _recent(sql: str, ms: float, ended: float) -> RecentQuery:
    at = datetime.fromtimestamp(ended, UTC).isoformat(timespec="milliseconds")
    return RecentQuery(statement=_shown(sql), duration_ms=_rounded(ms), at=at)


def _statement(sql: str, runs: _Runs) -> StatementStats:
    return StatementStats(
        statement=_shown(sql),
        count=runs.count,
        total_ms=_rounded(runs.total_ms),
        avg_ms=_rounded(runs.total_ms / runs.count),
        max_ms=_rounded(runs.max_ms),
    )


def _shown(sql: str) -> str:
    text = " ".join(sql.split())
    if len(text) <= _SHOWN_CHARS_MAX:
        return text
    # Begin and end tell most: what is selected or written, and by which condition.
    half = (_SHOWN_CHARS_MAX - len(_GAP)) // 2
    return text[:half] + _GAP + text[-half:]


def _rounded(ms: float) -> float:
    return round(ms, 2)


query_tracker = QueryTracker()
