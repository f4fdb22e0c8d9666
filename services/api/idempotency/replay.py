"""`Idempotency-Key`: a request that is repeated is answered as it was, and does nothing again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID

import structlog
from aiohttp import web

from services.api.connections import begin, connect
from services.api.http import Answer, Caller, ProblemError, invalid
from services.api.idempotency import store
from shared.database import Connection, Pool
from shared.errors import NotReadyError
from shared.security import SealedToken, TokenCipher, TokenUnreadableError

T = TypeVar("T")
log = structlog.get_logger()

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
#: A request that reserved its key and was not heard of since may be made again after this time.
_RESERVED_S = 120.0
# A quoted text, as the draft of the header has it, or the same without its quotes.
_KEY = re.compile(r'"([!#-~]{1,200})"|([!#-~]{1,200})', re.ASCII)
_RETRY_AFTER = {"Retry-After": "1"}
_COLUMN = "idempotent_answer"


class ReplayError(Exception):
    """The request was answered before; no error, but the way out of whatever was about to do it again."""

    def __init__(self, answer: Answer[Any]) -> None:
        super().__init__("answered before")
        self.answer = answer


@dataclass(kw_only=True)
class _Progress:
    is_kept: bool = False  # the answer stands in a transaction that was committed, or still runs
    is_reserved: bool = False  # the key was committed without an answer


@dataclass(frozen=True, kw_only=True)
class Repeatable:
    """One request that carries a key."""

    pool: Pool
    cipher: TokenCipher
    user_id: UUID
    key: str
    fingerprint: bytes
    secret: bool  # the answer holds a secret, and is kept encrypted
    _progress: _Progress = field(default_factory=_Progress, repr=False)  # shared by copies

    @property
    def is_kept(self) -> bool:
        """Whether the answer was kept."""
        return self._progress.is_kept

    def including(self, content: bytes) -> Repeatable:
        """The same, with more of what the request says."""
        return replace(self, fingerprint=hashlib.sha256(self.fingerprint + content).digest())

    async def look_up(self) -> None:
        """Go on only if there is no answer yet.

        Raises:
            ReplayError: there is one.
            ProblemError: the key stands for another request, or the request is being worked on.
        """
        async with connect(self.pool) as connection:
            await self._require_new(connection)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        """The one transaction under this key; the answer must be kept in it. Raises as `look_up`."""
        self._require(is_kept=False)
        try:
            async with begin(self.pool) as tx:
                await self._take(tx)
                yield tx
                self._require(is_kept=True)
        except BaseException:
            self._progress.is_kept = False  # it went with the transaction
            raise

    async def reserve(self) -> None:
        """Commit the key before something is done that no transaction covers. Raises as `look_up`."""
        async with begin(self.pool) as tx:
            await self._take(tx)
            await store.reserve(tx, self.key, self.fingerprint, user_id=self.user_id, for_s=_RESERVED_S)
        self._progress.is_reserved = True

    async def give_up(self) -> None:
        """Take a reservation back whose request failed: the next one need not wait for its end."""
        if not self._progress.is_reserved or self.is_kept:
            return
        try:
            async with begin(self.pool) as tx:
                await store.release(tx, self.key, self.fingerprint, user_id=self.user_id)
        except NotReadyError as error:  # why the request failed matters more; the reservation ends by itself
            log.warning("idempotency.not_released", error=str(error))

    async def keep(self, tx: Connection, answer: Answer[T]) -> None:
        """Keep the answer in the transaction of what it tells of."""
        stored: Answer[Any] = answer
        key_id = None
        if self.secret:
            sealed = self.cipher.encrypt(
                answer.content.decode(), user_id=self.user_id, row_id=self._row_id, column=_COLUMN
            )
            stored, key_id = replace(answer, content=sealed.ciphertext), sealed.key_id
        await store.keep(tx, self.key, self.fingerprint, stored, user_id=self.user_id, key_id=key_id)
        self._progress.is_kept = True

    def _require(self, *, is_kept: bool) -> None:
        if self.is_kept is not is_kept:
            raise RuntimeError("a repeatable request has one transaction, and keeps its answer in it")

    async def _take(self, tx: Connection) -> None:
        if not await store.lock(tx, self.key, user_id=self.user_id):
            raise _in_flight()
        await self._require_new(tx)

    async def _require_new(self, connection: Connection) -> None:
        known = await store.find(connection, self.key, user_id=self.user_id)
        if known is None:
            return
        if known.fingerprint != self.fingerprint:
            detail = f"This {HEADER} was used for another request in the last 24 hours; make a new one for each."
            raise ProblemError("idempotency_mismatch", detail)
        if known.answer is not None:
            raise ReplayError(self._open(known.answer, known.key_id))
        if known.runs and not self._progress.is_reserved:
            raise _in_flight()

    def _open(self, kept: Answer[Any], key_id: str | None) -> Answer[Any]:
        headers = {**kept.headers, REPLAYED: "true"}
        if key_id is None:
            return replace(kept, headers=headers)
        sealed = SealedToken(key_id=key_id, ciphertext=kept.content)
        try:
            text = self.cipher.decrypt(sealed, user_id=self.user_id, row_id=self._row_id, column=_COLUMN)
        except TokenUnreadableError as error:
            detail = "It was done, but the answer cannot be shown again: its encryption key has left TOKEN_KEYS."
            raise ProblemError("state_conflict", detail) from error
        return replace(kept, content=text.encode(), headers=headers)

    @property
    def _row_id(self) -> UUID:
        return UUID(bytes=hashlib.sha256(self.key.encode()).digest()[:16])


def read_key(
    request: web.Request, caller: Caller, *, body: bytes, secret: bool, pool: Pool, cipher: TokenCipher
) -> Repeatable | None:
    """The request as one that may be repeated; None if it carries no key.

    Raises:
        ProblemError: the key is no such text, or there are two.
    """
    given = request.headers.getall(HEADER, [])
    if not given:
        return None
    found = _KEY.fullmatch(given[0]) if len(given) == 1 else None
    if found is None:
        message = f"Send one {HEADER} of 1 to 200 visible ASCII characters."
        raise invalid("invalid_value", message, path=HEADER)
    seen = "*" if caller.account_ids is None else ",".join(str(one) for one in caller.allowed or [])
    # A secret is shown again to the key alone that was shown it: another one may not do what the secret allows.
    shown = caller.key_id if secret else ""
    said = f"{request.method}\n{request.rel_url.raw_path_qs}\n{seen}\n{shown}".encode()
    fingerprint = hashlib.sha256(said + b"\n" + hashlib.sha256(body).digest()).digest()
    key = found[1] or found[2]
    return Repeatable(pool=pool, cipher=cipher, user_id=caller.user_id, key=key, fingerprint=fingerprint, secret=secret)


def _in_flight() -> ProblemError:
    detail = "The same request is being worked on. Repeat it with the same key to get its answer."
    return ProblemError("idempotency_in_flight", detail, headers=_RETRY_AFTER)
