"""The report: what this process can tell of itself at any moment, at almost no cost."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Any

import structlog

from shared.performance.memory import read_memory_usage
from shared.performance.queries import query_tracker

log = structlog.get_logger()
_STARTED = time.monotonic()
_sections: dict[str, Callable[[], object]] = {}


def add_report_section(name: str, read: Callable[[], object]) -> None:
    """Have something told in every report from now on; one of the same name is replaced.

    Args:
        name: under which it stands in the report.
        read: gives numbers that JSON can hold, from memory, without waiting. Never ids, arguments or secrets.
    """
    _sections[name] = read


def create_performance_report() -> dict[str, Any]:
    """How this process has been doing since it began: `uptime` in seconds, `memory_usage`, `query_stats`, sections."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "uptime": round(time.monotonic() - _STARTED, 1),
        "memory_usage": read_memory_usage(),
        "query_stats": query_tracker.get_stats(),
        **{name: read() for name, read in _sections.items()},
    }


def log_performance_report() -> None:
    """Log the report; services do it on SIGUSR1."""
    log.info("performance.report", **create_performance_report())
