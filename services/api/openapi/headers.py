"""Headers that mean the same wherever they stand: described once, and referred to by name."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from aiohttp import hdrs

from services.api.http.problems import KINDS
from services.api.routing import Route


def _text(description: str, *, example: str, required: bool = False) -> dict[str, Any]:
    return {"description": description, "required": required, "schema": {"type": "string"}, "example": example}


#: Of answers.
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": _text(
        "The request's id: yours, if you sent a fit one. The logs know it.", example="0193f2b0a1c47d52", required=True
    ),
    "X-Response-Time": _text("How long it took, in milliseconds.", example="3.21ms", required=True),
    "Server-Timing": _text("Where the time went.", example="db;dur=1.02, app;dur=2.19", required=True),
    "RateLimit": _text("How many requests are left, and the seconds until there are more.", example='"key";r=99;t=1'),
    "RateLimit-Policy": _text("The limits that this request counts against.", example='"key";q=100;w=1'),
    "Retry-After": _text("After how many seconds to try again.", example="1"),
    "WWW-Authenticate": _text("How to say who you are.", example="Bearer"),
    "ETag": _text("The version of what was answered, for `If-None-Match` and `If-Match`.", example='"1f8a"'),
    "Location": _text("Where to find it.", example="/v1/groups/01890a5d-ac96-774b-bcce-b302099a8057", required=True),
    "Link": _text("The pages before and after this one, if there are any.", example='</v1/groups>; rel="first"'),
    "Idempotency-Replayed": _text("`true`: the same request was answered before.", example="true"),
}

#: Of requests.
PARAMETERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "name": "X-Request-ID",
        "in": "header",
        "description": "An id of your own for this request: 8 to 64 letters, digits, `-` and `_`.",
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes a repetition safe: the same key with the same request gets the same answer for 24 hours.",
        "schema": {"type": "string", "pattern": r'^"?[!#-~]{1,200}"?$'},
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` of what you read: refused with `version_mismatch` if it was changed since.",
        "schema": {"type": "string"},
    },
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "`respond-async`: answer 202 at once, with an operation that tells how it goes.",
        "schema": {"type": "string"},
    },
    "Last-Event-ID": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The id of the last event you have: the stream begins after it.",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of what you have: 304 without a body if it is still the same.",
        "schema": {"type": "string"},
    },
}

_ALWAYS = ("X-Request-ID", "X-Response-Time", "Server-Timing")
_LIMITS = ("RateLimit", "RateLimit-Policy")
_CHANGING = {hdrs.METH_PUT, hdrs.METH_PATCH, hdrs.METH_DELETE}
_PLACED = {201, 302}


def request_headers(route: Route) -> list[dict[str, str]]:
    """The headers that a route reads, by reference."""
    names = ["X-Request-ID"]
    if route.method == hdrs.METH_POST:
        names.append("Idempotency-Key")
    if route.method in _CHANGING:
        names.append("If-Match")
    if is_conditional(route):
        names.append("If-None-Match")
    names += route.reads
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def answer_headers(route: Route, status: int, *, page: bool) -> dict[str, Any]:
    """The headers of a good answer, by reference."""
    names = [*_ALWAYS, *_LIMITS]
    if is_conditional(route):
        names.append("ETag")
    if status in _PLACED:
        names.append("Location")
    if page:
        names.append("Link")
    if route.method == hdrs.METH_POST:
        names.append("Idempotency-Replayed")
    headers = header_refs(names)
    if status == HTTPStatus.ACCEPTED:  # what goes on has a place of its own, or is found in the answer
        headers["Location"] = {**HEADERS["Location"], "required": False}
    return headers


def problem_headers(codes: Iterable[str]) -> dict[str, Any]:
    """The headers of a problem with one of these codes, by reference."""
    waits = ["Retry-After"] if any(KINDS[code].retryable for code in codes) else []
    asks = ["WWW-Authenticate"] if "unauthenticated" in codes else []
    return header_refs([*_ALWAYS, *_LIMITS, *waits, *asks])


def header_refs(names: Iterable[str]) -> dict[str, Any]:
    """These headers, by reference."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def is_conditional(route: Route) -> bool:
    """Whether a route answers 304 to whoever has it already."""
    return route.method == hdrs.METH_GET and HTTPStatus.OK in route.statuses and route.contract.answers_json
