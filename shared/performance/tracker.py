"""How far a piece of work had come, and when."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypedDict

import structlog

log = structlog.get_logger()


class Summary(TypedDict):
    """Where the time went; milliseconds since the tracker was made."""

    context: str
    total_time: float
    checkpoints: dict[str, float]


class PerformanceTracker:
    """A stop-watch for one piece of work: make it at the begin, mark each step, log the summary at the end."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Start it.

        Args:
            clock: monotonic seconds.
        """
        self._clock = clock
        self._started = clock()
        self._checkpoints: dict[str, float] = {}

    def checkpoint(self, name: str) -> None:
        """A step is done. Its time counts from the start; a name that comes again keeps its last time."""
        self._checkpoints[name] = self._elapsed_ms()

    @property
    def checkpoints(self) -> dict[str, float]:
        """The steps so far, each with the milliseconds from the start to its end."""
        return dict(self._checkpoints)

    def log_summary(self, context: str) -> Summary:
        """Log where the time went, and return it.

        Args:
            context: what was done, in words for the log; no ids, so that lines can be grouped by it.
        """
        summary = Summary(context=context, total_time=self._elapsed_ms(), checkpoints=dict(self._checkpoints))
        log.info("performance.summary", **summary)
        return summary

    def _elapsed_ms(self) -> float:
        return round((self._clock() - self._started) * 1000, 2)
