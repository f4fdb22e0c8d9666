"""Problems: every error of the gateway as RFC 9457 `application/problem+json`, with a code that never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from uuid import UUID

import msgspec
from aiohttp import web

from shared.errors import InstaDistroError

CONTENT_TYPE = "application/problem+json"
#: Of the names of problems, before their code.
TYPE_PREFIX = "urn:instadistro:problem:"


@dataclass(frozen=True, kw_only=True)
class _Kind:
    status: int
    title: str
    retryable: bool = False  # the same request may succeed later


#: Every code a client can meet.
KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "malformed_request": _Kind(status=400, title="The request cannot be read"),
        "malformed_json": _Kind(status=400, title="The body is no JSON"),
        "invalid_cursor": _Kind(status=400, title="The cursor does not belong to this list"),
        "invalid_limit": _Kind(status=400, title="The limit is no number"),
        "oauth_state_invalid": _Kind(status=400, title="The connection cannot be ended"),
        "unauthenticated": _Kind(status=401, title="No valid API key"),
        "scope_missing": _Kind(status=403, title="The API key may not do this"),
        "account_not_allowed": _Kind(status=403, title="The API key is limited to other accounts"),
        "oauth_denied": _Kind(status=403, title="The owner granted no access"),
        "permissions_missing": _Kind(status=403, title="Permissions are missing"),
        "media_address_expired": _Kind(status=403, title="The address does not open this file, or no longer"),
        "not_found": _Kind(status=404, title="Not found"),
        "health_unknown": _Kind(status=404, title="The health is not known yet", retryable=True),
        "method_not_allowed": _Kind(status=405, title="The method is not allowed here"),
        "request_timeout": _Kind(status=408, title="The body took too long", retryable=True),
        "idempotency_in_flight": _Kind(status=409, title="The same request is being worked on", retryable=True),
        "in_use": _Kind(status=409, title="Something depends on it"),
        "state_conflict": _Kind(status=409, title="The state does not allow it"),
        "outcome_unresolved": _Kind(status=409, title="It is not known whether the post is live"),
        "duplicate_content": _Kind(status=409, title="The post is already there or on its way"),
        "account_exists": _Kind(status=409, title="The account exists"),
        "account_not_publishable": _Kind(status=409, title="An account cannot publish now"),
        "capacity_exceeded": _Kind(status=409, title="The window has no room for an account"),
        "plan_changed": _Kind(status=409, title="The plan is another one by now"),
        "account_not_resumable": _Kind(status=409, title="The account needs a new token"),
        "name_taken": _Kind(status=409, title="The name is taken"),
        "version_mismatch": _Kind(status=412, title="It was changed since it was read"),
        "body_too_large": _Kind(status=413, title="The body is too large"),
        "media_too_large": _Kind(status=413, title="The media file is too large"),
        "unsupported_media_type": _Kind(status=415, title="The content type is not supported"),
        "range_not_satisfiable": _Kind(status=416, title="The file has no such bytes"),
        "idempotency_mismatch": _Kind(status=422, title="The Idempotency-Key was used for another request"),
        "validation_failed": _Kind(status=422, title="The request has faults"),
        "timezone_required": _Kind(status=422, title="A time lacks its offset"),
        "time_in_past": _Kind(status=422, title="The time is past"),
        "window_too_short": _Kind(status=422, title="The window is too short"),
        "group_empty": _Kind(status=422, title="The group has no accounts"),
        "media_unsupported": _Kind(status=422, title="The platform does not take this media file"),
        "media_invalid": _Kind(status=422, title="The media file is damaged"),
        "media_unreachable": _Kind(status=422, title="The media cannot be fetched", retryable=True),
        "media_url_forbidden": _Kind(status=422, title="The URL may not be fetched"),
        "rate_limited": _Kind(status=429, title="Too many requests", retryable=True),
        "headers_too_large": _Kind(status=431, title="The request line or the headers are too large"),
        "internal_error": _Kind(status=500, title="The server failed"),
        "platform_error": _Kind(status=502, title="The platform refused"),
        "backlog_too_old": _Kind(status=503, title="What was accepted before waits too long already", retryable=True),
        "not_ready": _Kind(status=503, title="The server cannot serve now", retryable=True),
        "storage_full": _Kind(status=507, title="There is no room left", retryable=True),
    }
)
_CODE_OF_STATUS = {
    400: "malformed_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
    431: "headers_too_large",
}


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong; where it is, in whichever way fits the request."""

    code: str
    message: str
    path: str | None = None  # of a JSON body: `window.to`; of a query: its parameter's name
    line: int | None = None  # of an import
    field: str | None = None  # of an import
    account_id: UUID | None = None
    existing_id: UUID | None = None  # what is there already


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, as RFC 9457 tells it."""

    type: str  # a name, not an address: no page is promised that a server would have to keep
    title: str
    status: int
    detail: str
    code: str
    errors: Sequence[Fault]
    request_id: str
    retryable: bool
    existing_id: UUID | msgspec.UnsetType = msgspec.UNSET


class ProblemError(InstaDistroError):
    """A request that cannot be answered as wished. Raised anywhere below a route; the gateway answers it as JSON."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        existing_id: UUID | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.kind = KINDS[code]
        self.detail = detail
        self.errors = errors
        self.existing_id = existing_id
        self.headers = dict(headers or {})
        super().__init__(f"{code}: {detail}")


def invalid(code: str, message: str, *, path: str) -> ProblemError:
    """The problem of one wrong value; `code` tells which way, and is the problem's own where it is one."""
    fault = Fault(code=code, message=message, path=path)
    return ProblemError(code if code in KINDS else "validation_failed", message, errors=[fault])


def not_found(what: str) -> ProblemError:
    """The problem of an id that is unknown, or another tenant's: nobody can tell the two apart."""
    return ProblemError("not_found", f"There is no such {what}.")


def problem_response(problem: ProblemError, *, request_id: str) -> web.Response:
    """The answer that tells a problem."""
    kind = problem.kind
    body = Problem(
        type=f"{TYPE_PREFIX}{problem.code}",
        title=kind.title,
        status=kind.status,
        detail=problem.detail,
        code=problem.code,
        errors=problem.errors,
        request_id=request_id,
        retryable=kind.retryable,
        existing_id=msgspec.UNSET if problem.existing_id is None else problem.existing_id,
    )
    return web.Response(
        status=kind.status, body=msgspec.json.encode(body), content_type=CONTENT_TYPE, headers=problem.headers
    )


def problem_of_status(status: int, *, headers: Mapping[str, str] | None = None) -> ProblemError:
    """The problem that stands for a bare HTTP status."""
    code = _CODE_OF_STATUS.get(status)
    if code is None:
        code = "internal_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "malformed_request"
    return ProblemError(code, _DETAILS.get(code, f"{KINDS[code].title}."), headers=headers)


_DETAILS = {
    "malformed_request": "The request is not valid HTTP, or its body is not what its headers say.",
    "not_found": "There is nothing under this path.",
    "headers_too_large": "The request line and each header have at most 8,190 bytes, and there are at most 64 headers.",
    "method_not_allowed": "This path exists, but not with this method; see the Allow header.",
    "internal_error": "The server made a mistake. Its log tells more under the request id.",
}
