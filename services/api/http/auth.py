"""Who asks: API keys, looked up by their id and checked against their stored hash."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import hdrs, web

from services.api.http.caller import Caller
from services.api.http.key_records import KeyRecord, KeyRecords
from services.api.http.problems import ProblemError
from services.api.limits.local_buckets import LocalBuckets
from services.api.limits.policy import Bucket, Policy
from services.api.limits.refusal import refusal
from shared.database import Pool
from shared.security import ParsedApiKey, matches, parse_api_key

_CHALLENGE = {"WWW-Authenticate": "Bearer"}
# A key whose id is unknown is compared too, so that the time of an answer does not tell which ids there are.
_NOBODYS_HASH = bytes(32)
_IPV6_NETWORK_BITS = 64  # one client's


class Authenticator:
    """Checks keys, and lets nobody try out many."""

    def __init__(
        self,
        pool: Pool,
        *,
        pepper: bytes,
        strangers: Policy | None = None,
        on_use: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wire it.

        Args:
            pool: the database.
            pepper: the setting under which keys are hashed.
            strangers: how often one address may come without a good key; None: as often as it likes.
            on_use: told the id of each key that was good.
            clock: monotonic seconds.
        """
        self.records = KeyRecords(pool, clock=clock)
        self._pepper = pepper
        self._strangers = strangers
        self._addresses = LocalBuckets(clock=clock)
        self._on_use = on_use

    async def authenticate(self, request: web.Request) -> Caller:
        """The tenant whose key the request carries.

        Raises:
            ProblemError: no key, or one that is wrong, revoked or expired (`unauthenticated`), never saying which; or
                too many of those from this address (`rate_limited`).
        """
        parsed = _parse(request)
        record = await self.records.find(parsed.key_id) if parsed is not None else None
        # A good key is never counted: behind one address there may be every client, and a flood of somebody else's.
        if parsed is None or not self._fits(parsed, record) or record is None or is_over(record.caller):
            self.admit_anonymous(request)
            raise unauthenticated()
        self._on_use(record.caller.key_id)
        return record.caller

    def admit_anonymous(self, request: web.Request) -> None:
        """Count a request without a good key.

        Raises:
            ProblemError: `rate_limited`: too many from this address.
        """
        if self._strangers is None:
            return
        bucket = Bucket(policy=self._strangers, name=_client(request))
        taken = self._addresses.take([bucket], cost=1, wanted=1)
        if not taken.granted:
            raise refusal(self._strangers, max(taken.wait_s), told=self._strangers.told)

    async def close(self) -> None:
        """End the queries under way."""
        await self.records.close()

    def _fits(self, parsed: ParsedApiKey, record: KeyRecord | None) -> bool:
        return matches(parsed, _NOBODYS_HASH if record is None else record.secret_hash, self._pepper)


def _parse(request: web.Request) -> ParsedApiKey | None:
    kind, _, text = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return parse_api_key(text.strip()) if kind.lower() == "bearer" else None


def is_over(caller: Caller) -> bool:
    """Whether the caller's key has expired."""
    return caller.expires_at is not None and caller.expires_at <= datetime.now(UTC)


def _client(request: web.Request) -> str:
    try:
        address = ipaddress.ip_address((request.remote or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((address.packed, _IPV6_NETWORK_BITS), strict=False))


def unauthenticated() -> ProblemError:
    """The problem of whoever has no valid key."""
    detail = "Send a valid key in the header: Authorization: Bearer ids_..."
    return ProblemError("unauthenticated", detail, headers=_CHALLENGE)
