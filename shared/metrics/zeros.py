"""Series that stand at zero before anything has happened: a rate then sees the first event too."""

from __future__ import annotations

from prometheus_client import Counter


def begin_at_zero(counter: Counter, *values: str) -> None:
    """Make the series of a counter with one label for each of its values, of which there are few."""
    for value in values:
        counter.labels(value)
