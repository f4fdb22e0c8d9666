"""Where the time of one request went: what the parts that wait for others add up while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Spent:
    """What one request, or one job, cost so far."""

    __slots__ = ("cache", "database_ms", "queries")

    def __init__(self) -> None:
        self.database_ms = 0.0
        self.queries = 0
        self.cache: str | None = None  # what its last read of the cache found: `hit`, `miss`, ...; None: it read none


_spent: ContextVar[Spent | None] = ContextVar("spent", default=None)


@contextmanager
def bound_spent() -> Iterator[Spent]:
    """Collect what is spent within; tasks that are started within count too."""
    spent = Spent()
    token = _spent.set(spent)
    try:
        yield spent
    finally:
        _spent.reset(token)


def add_query_time(ms: float) -> None:
    """A query of whatever runs here ended."""
    spent = _spent.get()
    if spent is not None:
        spent.database_ms += ms
        spent.queries += 1


def note_cache(result: str) -> None:
    """The cache answered whatever runs here."""
    spent = _spent.get()
    if spent is not None:
        spent.cache = result
