"""What a process can tell of its own speed: its queries, requests, steps, memory; and work done in bounded batches."""

from __future__ import annotations

from shared.performance.batches import process_batch
from shared.performance.memory import MemoryUsage, log_memory_usage
from shared.performance.middleware import (
    answered_after_s,
    checkpoint,
    performance_middleware,
    route_template,
    tell_response_time,
)
from shared.performance.queries import QueryStats, QueryTracker, query_tracker
from shared.performance.report import add_report_section, create_performance_report, log_performance_report
from shared.performance.spent import Spent, bound_spent, note_cache
from shared.performance.tracker import PerformanceTracker, Summary

__all__ = [
    "MemoryUsage",
    "PerformanceTracker",
    "QueryStats",
    "QueryTracker",
    "Spent",
    "Summary",
    "add_report_section",
    "answered_after_s",
    "bound_spent",
    "checkpoint",
    "create_performance_report",
    "log_memory_usage",
    "log_performance_report",
    "note_cache",
    "performance_middleware",
    "process_batch",
    "query_tracker",
    "route_template",
    "tell_response_time",
]
