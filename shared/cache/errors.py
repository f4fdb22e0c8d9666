"""What the cache refuses. A Redis that is away is no error: the cache goes on without it."""

from __future__ import annotations

from shared.errors import InstaDistroError


class CacheKeyError(InstaDistroError):
    """A key or pattern is malformed. A fault of the caller: correct the call."""


class CacheValueError(InstaDistroError):
    """A value is no plain data and cannot be cached. A fault of the caller: let the loader return plain data."""


class CacheAwayError(InstaDistroError):
    """Redis did not do what was asked; `tried` tells a failed operation from one the breaker kept back."""

    def __init__(self, *, tried: bool) -> None:
        self.tried = tried
        super().__init__("The cache's Redis does not answer. Values come from their loaders until it is back.")


class CacheSweepError(InstaDistroError):
    """A sweep by pattern took too long and was stopped; `dropped` values are gone, others may be left. Call again."""

    def __init__(self, *, dropped: int) -> None:
        self.dropped = dropped
        super().__init__(
            f"The sweep was stopped after a minute; {dropped} values were dropped. Call again for the rest."
        )
