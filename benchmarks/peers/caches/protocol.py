"""What the harness orders from a process that holds a cache, and what every cache must be able to do there.

Only the standard library is used here: this runs in the rivals' environment too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

#: How long an operation on Redis, and a connection to it, may take: as long as with the project's own cache.
OPERATION_S = 0.075
CONNECT_S = 0.25
#: More than any case has callers.
CONNECTIONS_MAX = 256
#: How long values are cached: longer than any trial.
TTL_S = 900

Load: TypeAlias = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class CacheOrder:
    """What one process shall do."""

    role: str
    url: str  # of a Redis that is this trial's alone
    count: int  # reads, rounds, tries or repetitions, as the role says
    callers: int = 1  # at the same time
    value: str = "health"  # what is cached; one of `VALUES`
    own_keys: bool = False  # each caller reads a key of its own; else all read the same one
    seconds: float = 0.0  # how long to go on, where that is not a matter of `count`
    settings: Mapping[str, int | str] = field(default_factory=dict)  # the subject's own


class Cache(Protocol):
    """A cache as one process of an application uses it."""

    async def read(self, owner: str, name: str, load: Load) -> Any:
        """The cached value of an owner, or what `load` returns, cached from now on."""

    async def drop(self, owner: str, name: str) -> None:
        """Do what this cache offers so that a value from before is not served any more."""

    async def drop_all(self, owner: str) -> None:
        """The same for everything of an owner."""


OpenCache: TypeAlias = Callable[[CacheOrder], AbstractAsyncContextManager[Cache]]


def _account(number: int) -> dict[str, Any]:
    return {
        "id": f"0199f3a2-7c1e-7d3a-9b60-{number:012x}",
        "username": f"studio_{number:04}_official",
        "instagram_user_id": f"1784140000000{number:04}",
        "state": "ACTIVE" if number % 8 else "PAUSED",
        "state_reason": None if number % 8 else "paused by the owner",
        "tags": ["food", "berlin"] if number % 2 else ["travel"],
        "token_expires_at": "2026-03-14T08:15:00.123456Z",
        "created_at": f"2025-11-{number % 28 + 1:02}T10:20:30.123456Z",
        "updated_at": f"2025-11-{number % 28 + 1:02}T22:33:44.654321Z",
    }


#: Plain data, so that every serializer can take them: the health of an account (about 200 bytes as JSON) and the first
#: page of a list of accounts (about 8 KB), in the shape of the gateway's own answers.
VALUES: Mapping[str, Any] = {
    "health": {
        "account_id": "0199f3a2-7c1e-7d3a-9b60-0242ac120002",
        "score": 91,
        "band": "healthy",
        "confidence": 0.83,
        "reasons": [],
        "formula_version": 1,
        "computed_at": "2025-11-20T10:20:30.123456Z",
    },
    "page": {
        "data": [_account(number) for number in range(24)],
        "pagination": {"limit": 24, "next_cursor": "kqYB" * 24, "prev_cursor": None, "has_more": True},
    },
}
