"""Series that stand at zero before anything has happened: a rate then sees the first event too."""

from __future__ import annotations

from prometheus_client import Counter


def begin_at_zero(counter: Counter, *values: str | tuple[str, ...]) -> None:
    """Make the series of a counter for each value of its label, or of its labels, of which there are few."""
    for value in values:
        counter.labels(*((value,) if isinstance(value, str) else value))
