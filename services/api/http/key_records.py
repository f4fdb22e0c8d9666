"""API keys as the process remembers them: for 5 s at most, those that are there and those that are not."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from services.api.connections import connect
from services.api.http.caller import Caller
from shared.cache import SingleFlight
from shared.database import Connection, Pool, Row

T = TypeVar("T")

#: The bound on how long a revoked key, or a scope taken away, still works.
REMEMBERED_S = 5.0
_KEYS_MAX = 10_000
# Looks for ids that were never seen here: a flood of made-up ones waits for itself, and leaves the pool to others.
_STRANGERS_AT_A_TIME = 2
_FIND = """
    SELECT api_keys.key_id, api_keys.user_id, api_keys.secret_hash, api_keys.scopes, api_keys.account_ids,
           api_keys.expires_at, users.email
    FROM api_keys JOIN users ON users.id = api_keys.user_id
    WHERE api_keys.key_id = $1 AND api_keys.revoked_at IS NULL
"""


@dataclass(frozen=True, kw_only=True)
class KeyRecord:
    """A key's row."""

    caller: Caller
    secret_hash: bytes
    forget_at: float  # on the monotonic clock

    @classmethod
    def from_row(cls, row: Row, *, forget_at: float) -> KeyRecord:
        """What the database says of a key."""
        limited = row["account_ids"]
        caller = Caller(
            user_id=row["user_id"],
            email=row["email"],
            scopes=frozenset(row["scopes"]),
            key_id=row["key_id"],
            account_ids=None if limited is None else frozenset(limited),
            expires_at=row["expires_at"],
        )
        return cls(caller=caller, secret_hash=row["secret_hash"], forget_at=forget_at)


async def read_key(connection: Connection, key_id: str, *, forget_at: float = 0.0) -> KeyRecord | None:
    """The key as the database has it, expired or not; None if there is none, or it is revoked."""
    row = await connection.fetchrow(_FIND, key_id)
    return None if row is None else KeyRecord.from_row(row, forget_at=forget_at)


class KeyRecords:
    """Finds keys by their id. Whoever asks for the same one at the same time shares one query."""

    def __init__(self, pool: Pool, *, clock: Callable[[], float]) -> None:
        """Remember nothing yet. `clock` gives monotonic seconds."""
        self._pool = pool
        self._clock = clock
        self._known: OrderedDict[str, KeyRecord] = OrderedDict()
        # Apart from those that are there: a flood of made-up ids drives out none of them.
        self._unknown_until: OrderedDict[str, float] = OrderedDict()
        self._looks = SingleFlight[KeyRecord | None]()
        self._places = asyncio.Semaphore(_STRANGERS_AT_A_TIME)

    async def find(self, key_id: str) -> KeyRecord | None:
        """The key as it is, or was at most 5 s ago; None if there is none.

        Raises:
            NotReadyError: the database does not answer. Answer 503.
        """
        now = self._clock()
        record = self._known.get(key_id)
        if record is not None and record.forget_at > now:
            return record
        if self._unknown_until.get(key_id, now) > now:
            return None
        return await self._looks.share(key_id, partial(self._look_in_turn, key_id, known=record is not None))

    def forget(self, key_id: str) -> None:
        """Look for a key anew: it was changed here."""
        self._known.pop(key_id, None)

    async def close(self) -> None:
        """End the queries under way."""
        await self._looks.close()

    async def _look_in_turn(self, key_id: str, *, known: bool) -> KeyRecord | None:
        if known:
            return await self._look(key_id)
        async with self._places:
            return await self._look(key_id)

    async def _look(self, key_id: str) -> KeyRecord | None:
        forget_at = self._clock() + REMEMBERED_S  # counted from before the look: it is the age of what was seen
        async with connect(self._pool) as connection:
            record = await read_key(connection, key_id, forget_at=forget_at)
        self._known.pop(key_id, None)
        self._unknown_until.pop(key_id, None)
        if record is None:
            _put(self._unknown_until, key_id, forget_at)
        else:
            _put(self._known, key_id, record)
        return record


def _put(table: OrderedDict[str, T], key_id: str, value: T) -> None:
    table[key_id] = value
    if len(table) > _KEYS_MAX:
        table.popitem(last=False)
