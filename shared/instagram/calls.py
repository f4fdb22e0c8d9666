"""One call from its request to a typed result, with everybody told who has to know how it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import aiohttp

from shared.instagram.account import GraphAccount
from shared.instagram.answers import read_answer
from shared.instagram.errors import GraphUnclearError, InstagramError
from shared.instagram.results import Json, UnusableAnswerError
from shared.instagram.usage import Usage, Watch, read_usage
from shared.instagram.wire import Answer, Call, exchange, is_graph_session

_T = TypeVar("_T")
Observe = Callable[[str, str, float], None]


class Caller:
    """Makes calls on one session and tells of them."""

    def __init__(
        self, session: aiohttp.ClientSession, *, observe: Observe | None = None, watch: Watch | None = None
    ) -> None:
        """Bind to a session, which stays the caller's.

        Args:
            session: from `open_graph_session`, which alone can tell whether a byte was written.
            observe: told the operation, its outcome and its seconds after each call. Outcomes are "ok", the values of
                ErrorClass, "unclear", "unreachable", "canceled", and "failed" for a defect of this client.
            watch: told of each exchange for an account, with the usage that the platform reported.
        """
        if not is_graph_session(session):
            raise ValueError("the session must come from open_graph_session")
        self._session = session
        self._observe = observe
        self._watch = watch

    async def ask(self, call: Call, read: Callable[[Json], _T], *, account: GraphAccount | None = None) -> _T:
        """Make the call, for `account` if there is one yet, and read its answer.

        Raises:
            InstagramError: as GraphClient says.
        """
        started, outcome = time.monotonic(), "failed"
        try:
            result = await self._watched(call, read, account)
        except InstagramError as error:
            outcome = error.outcome
            raise
        except asyncio.CancelledError:
            outcome = "canceled"
            raise
        else:
            outcome = "ok"
            return result
        finally:
            if self._observe:
                self._observe(call.operation, outcome, time.monotonic() - started)

    async def _watched(self, call: Call, read: Callable[[Json], _T], account: GraphAccount | None) -> _T:
        usage = None
        try:
            answer = await exchange(self._session, call)
            usage = read_usage(answer.headers)
            result = _read(call, answer, read)
        except InstagramError as error:
            self._tell(account, call, usage, error)
            raise
        self._tell(account, call, usage, None)
        return result

    def _tell(
        self, account: GraphAccount | None, call: Call, usage: Usage | None, error: InstagramError | None
    ) -> None:
        if self._watch and account:
            self._watch.saw(account, call.operation, usage=usage, error=error)


def _read(call: Call, answer: Answer, read: Callable[[Json], _T]) -> _T:
    body = read_answer(call, answer)
    try:
        return read(body)
    except UnusableAnswerError as error:
        reason = f"HTTP {answer.status}, but {error}"
    raise GraphUnclearError(reason, operation=call.operation, http_status=answer.status)
