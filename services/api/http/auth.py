"""Who asks: API keys, looked up by their id and checked against their stored hash."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from aiohttp import hdrs, web

from services.api.connections import connect
from services.api.http.problems import Fault, ProblemError, not_found
from shared.database import Pool, Row
from shared.security import matches, parse_api_key

#: The bound on how long a revoked key, or a scope taken away, still works.
_REMEMBERED_S = 5.0
_REMEMBERED_MAX = 10_000
_FIND = """
    SELECT api_keys.key_id, api_keys.user_id, api_keys.secret_hash, api_keys.scopes, api_keys.account_ids,
           api_keys.expires_at, users.email
    FROM api_keys JOIN users ON users.id = api_keys.user_id
    WHERE api_keys.key_id = $1 AND api_keys.revoked_at IS NULL
"""
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"  # keys and the audit log
    OPERATOR = "operator"  # the jobs of all tenants


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The tenant a request speaks for, and the key it came with."""

    user_id: UUID
    email: str
    scopes: frozenset[str]
    key_id: str  # the part of the key that is no secret
    account_ids: frozenset[UUID] | None = None  # the only accounts it may see and act on; None: all of the tenant's

    @property
    def allowed(self) -> list[UUID] | None:
        """The same as a parameter of a query; None: no condition."""
        return None if self.account_ids is None else sorted(self.account_ids)

    def require_seen(self, account_id: UUID) -> None:
        """Go on only if the key may see this account.

        Raises:
            ProblemError: `not_found`, as for an account that is not there.
        """
        if self.account_ids is not None and account_id not in self.account_ids:
            raise not_found("account")

    def require_allowed(self, account_ids: Iterable[UUID]) -> None:
        """Go on only if the key may act on all of these accounts.

        Raises:
            ProblemError: `account_not_allowed`, naming those that it may not.
        """
        if self.account_ids is None:
            return
        forbidden = [account_id for account_id in account_ids if account_id not in self.account_ids]
        if forbidden:
            message = "The API key is limited to other accounts."
            faults = [Fault(code="account_not_allowed", message=message, account_id=one) for one in forbidden]
            raise ProblemError("account_not_allowed", message, errors=faults)


@dataclass(frozen=True, kw_only=True)
class _Record:
    caller: Caller
    secret_hash: bytes
    expires_at: datetime | None
    forget_at: float  # on the monotonic clock

    @classmethod
    def from_row(cls, row: Row, *, forget_at: float) -> _Record:
        limited = row["account_ids"]
        caller = Caller(
            user_id=row["user_id"],
            email=row["email"],
            scopes=frozenset(row["scopes"]),
            key_id=row["key_id"],
            account_ids=None if limited is None else frozenset(limited),
        )
        return cls(caller=caller, secret_hash=row["secret_hash"], expires_at=row["expires_at"], forget_at=forget_at)


class Authenticator:
    """Checks keys; remembers a key's row for 5 s at most."""

    def __init__(self, pool: Pool, *, pepper: bytes, clock: Callable[[], float] = time.monotonic) -> None:
        """Wire it.

        Args:
            pool: the database.
            pepper: the setting under which keys are hashed.
            clock: monotonic seconds.
        """
        self._pool = pool
        self._pepper = pepper
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()

    async def authenticate(self, request: web.Request) -> Caller:
        """The tenant whose key the request carries.

        Raises:
            ProblemError: no key, or one that is wrong, revoked or expired (`unauthenticated`); never saying which.
        """
        kind, _, text = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        parsed = parse_api_key(text.strip()) if kind.lower() == "bearer" else None
        record = await self._find(parsed.key_id) if parsed is not None else None
        if parsed is None or record is None or not matches(parsed, record.secret_hash, self._pepper):
            raise _unauthenticated()
        if record.expires_at is not None and record.expires_at <= datetime.now(UTC):
            raise _unauthenticated()
        return record.caller

    async def _find(self, key_id: str) -> _Record | None:
        record = self._records.get(key_id)
        if record is not None and record.forget_at > self._clock():
            return record
        self._records.pop(key_id, None)
        forget_at = self._clock() + _REMEMBERED_S  # counted from before the look: it is the age of what was seen
        async with connect(self._pool) as connection:
            row = await connection.fetchrow(_FIND, key_id)
        if row is None:
            return None
        record = _Record.from_row(row, forget_at=forget_at)
        self._records[key_id] = record
        if len(self._records) > _REMEMBERED_MAX:
            self._records.popitem(last=False)
        return record


def _unauthenticated() -> ProblemError:
    detail = "Send a valid key in the header: Authorization: Bearer ids_..."
    return ProblemError("unauthenticated", detail, headers=_CHALLENGE)
