from __future__ import annotations

import json
import os

import msgspec
import pytest
from structlog.testing import capture_logs

from shared.performance import (
    PerformanceTracker,
    add_report_section,
    create_performance_report,
    log_memory_usage,
    log_performance_report,
    query_tracker,
)


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sections(monkeypatch):
    """The sections that this test adds, and no other."""
    made: dict[str, object] = {}
    monkeypatch.setattr("shared.performance.report._sections", made)
    return made


def test_checkpoints_count_from_the_start(clock):
    """Each step has the milliseconds since the tracker was made; the summary is logged and returned."""
    tracker = PerformanceTracker(clock)
    clock.now += 0.05
    tracker.checkpoint("accounts-fetched")
    clock.now += 0.13
    tracker.checkpoint("health-calculated")
    clock.now += 0.07

    with capture_logs() as logs:
        summary = tracker.log_summary("GET /v1/accounts")

    assert summary == {
        "context": "GET /v1/accounts",
        "total_time": 250.0,
        "checkpoints": {"accounts-fetched": 50.0, "health-calculated": 180.0},
    }
    assert logs == [{"event": "performance.summary", "log_level": "info", **summary}]


def test_a_summary_is_not_changed_by_what_comes_later(clock):
    """The work may go on and be summed up again; a name that comes again keeps its last time."""
    tracker = PerformanceTracker(clock)
    tracker.checkpoint("page")
    first = tracker.log_summary("export")
    clock.now += 1
    tracker.checkpoint("page")

    assert first["checkpoints"] == {"page": 0.0}
    assert tracker.log_summary("export")["checkpoints"] == {"page": 1000.0}


def test_memory_is_told_and_logged():
    """What a process holds is more than a megabyte, and never more than it held at its peak."""
    ballast = bytes(8 << 20)
    with capture_logs() as logs:
        usage = log_memory_usage()

    assert len(ballast) < usage["rss_bytes"] <= usage["peak_rss_bytes"]
    assert usage["python_blocks"] > 1000
    assert usage["swap_bytes"] >= 0
    assert logs == [{"event": "memory.usage", "log_level": "info", **usage}]


@pytest.mark.usefixtures("sections")
def test_the_report_holds_what_is_known_of_this_process():
    """Uptime, memory and queries are always there, and every section that was added; all of it is JSON."""
    query_tracker.record_query("SELECT 'of this test'", 1.5)
    add_report_section("job_stats", lambda: {"old": 1})
    add_report_section("job_stats", lambda: {"post:publish": {"completed": 1, "failed": 0, "active": 2}})

    report = msgspec.json.decode(msgspec.json.encode(create_performance_report()))

    assert set(report) == {"host", "pid", "uptime", "memory_usage", "query_stats", "job_stats"}
    assert report["pid"] == os.getpid()
    assert report["uptime"] >= 0
    assert report["query_stats"]["recent_queries"][0]["statement"] == "SELECT 'of this test'"
    assert report["job_stats"] == {"post:publish": {"completed": 1, "failed": 0, "active": 2}}


@pytest.mark.usefixtures("sections")
def test_the_report_is_logged_in_one_line_that_no_collector_cuts():
    """Docker parts lines at 16 KiB: the report stays below, however long the statements are."""
    for number in range(300):
        query_tracker.record_query(f"SELECT {number}, {'x' * 1000}", 1.0)

    with capture_logs() as logs:
        log_performance_report()

    assert [line["event"] for line in logs] == ["performance.report"]
    assert len(json.dumps(logs[0])) < 16 * 1024
