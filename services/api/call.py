"""One request on its way through a route: who asks for what, and what the route works with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from uuid import UUID

from aiohttp import hdrs, web

from services.api.audit.record import Subject, record_change
from services.api.connections import begin, connect
from services.api.deps import Deps
from services.api.http import Answer, Caller, PageQuery, PageRequest, ProblemError, path_id, read_page, request_id_of
from services.api.idempotency.replay import Repeatable
from shared.database import Connection

Q = TypeVar("Q")
B = TypeVar("B")
T = TypeVar("T")


class Stream:
    """Stands for a body that the route reads by itself, piece by piece."""


@dataclass(frozen=True, kw_only=True)
class Call(Generic[Q, B]):
    """A request whose key, query and body were checked. `Q` and `B` are the route's contract."""

    request: web.Request
    deps: Deps
    caller: Caller
    query: Q
    body: B
    repeatable: Repeatable | None = None  # it carries an Idempotency-Key

    @property
    def user_id(self) -> UUID:
        """The tenant."""
        return self.caller.user_id

    def id(self, what: str, *, name: str = "id") -> UUID:
        """The id in the path. Raises `not_found` for what is none."""
        return path_id(self.request, what, name=name)

    @property
    def page(self) -> PageRequest:
        """The page that the query asks for."""
        count = isinstance(self.query, PageQuery) and self.query.count
        secret = self.deps.settings.cursor_secret
        return read_page(self.request, user_id=self.user_id, secret=secret, count=count)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        """A connection for reading."""
        async with connect(self.deps.pool) as connection:
            yield connection

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        """The transaction of a change. Whoever repeats the request gets the answer that was kept in it: see `keep`."""
        if self.repeatable is None:
            async with begin(self.deps.pool) as tx:
                yield tx
        else:
            async with self.repeatable.begin() as tx:
                yield tx

    async def keep(self, tx: Connection, answer: Answer[T]) -> Answer[T]:
        """Keep the answer in the transaction of what it tells of. Every POST calls it last in its transaction."""
        if self.repeatable is not None:
            await self.repeatable.keep(tx, answer)
        return answer

    async def reserve(self) -> None:
        """Commit the Idempotency-Key. Call it before what no transaction takes back: a platform call."""
        if self.repeatable is not None:
            await self.repeatable.reserve()

    async def including(self, content: bytes) -> Call[Q, B]:
        """The call with what a streamed body said, so that its repetition is known from another request.

        Raises:
            ReplayError: it was answered before. Let it pass.
        """
        if self.repeatable is None:
            return self
        repeatable = self.repeatable.including(content)
        await repeatable.look_up()
        return replace(self, repeatable=repeatable)

    async def audit(
        self, tx: Connection, action: str, subject: tuple[str, UUID | str], *, before: Any = None, after: Any = None
    ) -> None:
        """Write down a change: `await call.audit(tx, "account.paused", ("account", account_id), after=account)`.

        `before` and `after` are what clients see, never secrets.
        """
        await record_change(
            tx,
            action,
            Subject(type=subject[0], id=subject[1]),
            user_id=self.user_id,
            actor=self.caller.key_id,
            request_id=request_id_of(self.request),
            before=before,
            after=after,
        )

    def require_match(self, current: Answer[Any]) -> None:
        """Go on only if the client knows the thing as it is. Call it with the thing's row locked.

        Args:
            current: what GET would answer now.

        Raises:
            ProblemError: `version_mismatch`: the client's `If-Match` is of another version.
        """
        wanted = self.request.headers.getall(hdrs.IF_MATCH, [])
        tags = {tag.strip() for header in wanted for tag in header.split(",")}
        if tags and "*" not in tags and current.etag not in tags:
            detail = "It was changed since it was read. Read it again, and decide anew."
            raise ProblemError("version_mismatch", detail)
