"""What a call can fail with: one base, and a class for each way in which a caller would go on differently."""

from __future__ import annotations

from typing import Any

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a request, and where."""

    code: str
    message: str
    path: str | None = None
    line: int | None = None
    field: str | None = None
    account_id: str | None = None
    existing_id: str | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway answers instead of a result (RFC 9457)."""

    title: str
    status: int
    code: str  # never changes; docs/problems.md lists all
    detail: str = ""
    errors: list[Fault] = msgspec.field(default_factory=list)
    request_id: str | None = None
    retryable: bool = False
    existing_id: str | None = None


class ClientError(Exception):
    """Base of everything this package raises."""


class NoAnswerError(ClientError):
    """No answer came: no connection, or none in time. Check the address, and try again later.

    Whether the request was carried out is not known. Another call has another Idempotency-Key: look first, or give the
    call a key of your own (`with_options`) and make it again with that.
    """


class UnexpectedAnswerError(ClientError):
    """What answered is no gateway, or one of another version. Check the address, then the versions."""

    def __init__(self, told: str, *, status: int) -> None:
        super().__init__(told)
        self.status = status


class EventsLostError(ClientError):
    """Events after the given place are kept no more (7 days). Read anew what you need, then follow after `place`."""

    def __init__(self, place: str) -> None:
        super().__init__("events after that place are no longer kept; read what you need anew, and follow from now")
        self.place = place


class ApiError(ClientError):
    """The gateway answered with a problem."""

    def __init__(self, problem: Problem, *, retry_after_s: float | None = None) -> None:
        self.problem = problem
        self.retry_after_s = retry_after_s
        told = "".join(f"\n  {_told(fault)}" for fault in problem.errors)
        super().__init__(f"{problem.code} ({problem.status}): {problem.detail or problem.title}{told}")

    @property
    def code(self) -> str:
        """The problem's code."""
        return self.problem.code


class InvalidRequestError(ApiError):
    """The request has faults (400, 413, 415, 422): correct it. `problem.errors` names each."""


class NotAllowedError(ApiError):
    """The key is not valid, or may not do this (401, 403). Use another one."""


class NotFoundError(ApiError):
    """There is no such thing (404), or it is another tenant's."""


class ConflictError(ApiError):
    """The state does not allow it (409, 412). Read the thing again, and decide anew."""


class RateLimitedError(ApiError):
    """Too many requests (429), and waiting did not help within the deadline. Send fewer."""


class UnavailableError(ApiError):
    """The gateway, or a server it needs, cannot serve now (5xx), and waiting did not help. Try again later."""


_OF_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: NotAllowedError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitedError,
}
_SERVER_ERRORS = 500


def error_of(status: int, content: bytes, *, retry_after: str | None) -> ClientError:
    """The error that stands for an answer that is no success."""
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except msgspec.MsgspecError:
        told = f"the answer (status {status}) is not the gateway's; does the address lead to it?"
        return UnexpectedAnswerError(told, status=status)
    kind = UnavailableError if status >= _SERVER_ERRORS else _OF_STATUS.get(status, ApiError)
    return kind(problem, retry_after_s=_seconds(retry_after))


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdecimal() else None


def _told(fault: Fault) -> str:
    places: list[Any] = [f"line {fault.line}" if fault.line is not None else None, fault.field, fault.path]
    place = ", ".join(str(place) for place in [*places, fault.account_id] if place)
    return f"{place}: {fault.message}" if place else fault.message
