from __future__ import annotations

import re

import pytest
from structlog.testing import capture_logs

from shared.performance import QueryTracker

LONG = f"SELECT {'x' * 5000}"


@pytest.fixture
def tracker():
    return QueryTracker()


def test_nothing_recorded_is_told_as_nothing(tracker):
    """A process that has not asked anything yet has statistics all the same."""
    assert tracker.get_stats() == {
        "total_queries": 0,
        "avg_duration": 0.0,
        "slow_queries": 0,
        "recent_queries": [],
        "top_statements": [],
    }


def test_queries_are_counted_and_averaged(tracker):
    """Totals are of all queries; the recent ones stand newest first, with the time at which they ended."""
    for sql, ms in [("SELECT 1", 10.0), ("SELECT 2", 20.0), ("SELECT 1", 30.004)]:
        tracker.record_query(sql, ms)

    stats = tracker.get_stats()
    recent = [(query["statement"], query["duration_ms"]) for query in stats["recent_queries"]]

    assert (stats["total_queries"], stats["avg_duration"], stats["slow_queries"]) == (3, 20.0, 0)
    assert recent == [("SELECT 1", 30.0), ("SELECT 2", 20.0), ("SELECT 1", 10.0)]
    assert all(re.fullmatch(r"20\d\d-.*\.\d{3}\+00:00", query["at"]) for query in stats["recent_queries"])


def test_the_statements_that_cost_most_in_all_come_first(tracker):
    """A quick statement that runs a thousand times is told before a slow one that ran once."""
    for _ in range(1000):
        tracker.record_query("SELECT often", 2.0)
    tracker.record_query("SELECT seldom", 900.0)

    often, seldom = tracker.get_stats()["top_statements"]

    assert often == {"statement": "SELECT often", "count": 1000, "total_ms": 2000.0, "avg_ms": 2.0, "max_ms": 2.0}
    assert (seldom["statement"], seldom["count"], seldom["max_ms"]) == ("SELECT seldom", 1, 900.0)


def test_a_slow_query_is_counted_and_logged_in_one_line(tracker):
    """More than one second is slow; the log has the statement without its line breaks."""
    with capture_logs() as logs:
        tracker.record_query("SELECT pg_sleep($1)", 1000.0)
        tracker.record_query("SELECT *\n    FROM accounts\n    WHERE id = $1", 1000.1)

    assert tracker.get_stats()["slow_queries"] == 1
    assert logs == [
        {
            "event": "query.slow",
            "log_level": "warning",
            "statement": "SELECT * FROM accounts WHERE id = $1",
            "duration_ms": 1000,
        }
    ]


def test_memory_stays_bounded_whatever_is_recorded(tracker):
    """Neither many statements nor long ones fill the memory, the report or the log."""
    with capture_logs() as logs:
        for number in range(5000):
            tracker.record_query(f"SELECT {number}", 1.0)
        tracker.record_query(LONG, 5000.0)

    stats = tracker.get_stats()

    assert stats["total_queries"] == 5001
    assert (len(stats["recent_queries"]), len(stats["top_statements"])) == (20, 10)
    assert logs[0]["statement"] == stats["top_statements"][0]["statement"]
    assert len(logs[0]["statement"]) <= 300


def test_a_long_statement_keeps_its_begin_and_its_end(tracker):
    """What is selected and by which condition are both to be seen."""
    tracker.record_query(f"SELECT {'name, ' * 200} id\nFROM accounts\nWHERE id = $1", 1.0)

    statement = tracker.get_stats()["recent_queries"][0]["statement"]

    assert statement.startswith("SELECT name, ")
    assert " … " in statement
    assert statement.endswith("id FROM accounts WHERE id = $1")


def test_a_statement_in_use_is_not_pushed_out_by_others(tracker):
    """The statements that are forgotten are those not seen for longest."""
    for number in range(1000):
        tracker.record_query("SELECT often", 5.0)
        tracker.record_query(f"SELECT {number}", 1.0)

    assert tracker.get_stats()["top_statements"][0]["count"] == 1000
