"""Which problems a route can answer with: those it names, and those its contract brings along."""

from __future__ import annotations

from aiohttp import hdrs

from services.api.call import Stream
from services.api.http import PageQuery, Scope
from services.api.http.problems import KINDS
from services.api.openapi.schemas import Schemas
from services.api.routing import Route

_EVERYWHERE = {"malformed_request", "validation_failed", "rate_limited", "internal_error", "not_ready"}
_OF_BODIES = {"malformed_json", "body_too_large", "request_timeout", "unsupported_media_type"}
_OF_REPEATS = {"idempotency_in_flight", "idempotency_mismatch"}
_OF_PAGES = {"invalid_cursor", "invalid_limit"}
_OF_CHANGES = {hdrs.METH_PUT, hdrs.METH_PATCH, hdrs.METH_DELETE}


def route_problems(route: Route, schemas: Schemas) -> dict[int, list[str]]:
    """The codes of a route's problems by status, both in the catalogue's order."""
    codes = _codes(route, schemas)
    by_status: dict[int, list[str]] = {}
    for code, kind in KINDS.items():
        if code in codes:
            by_status.setdefault(kind.status, []).append(code)
    return by_status


def _codes(route: Route, schemas: Schemas) -> set[str]:
    contract = route.contract
    codes = _EVERYWHERE | set(route.problems)
    if not route.public:
        codes |= {"unauthenticated", "not_found" if route.scope is Scope.OPERATOR else "scope_missing"}
        # A key that is limited to some accounts reads less of such a list, and is refused nothing.
        codes |= set() if route.limited and route.method == hdrs.METH_GET else {"account_not_allowed"}
    if "{" in route.path or contract.reads_json or contract.body is Stream:
        codes.add("not_found")
    if contract.reads_json or contract.body is Stream:
        codes |= _OF_BODIES
    if issubclass(contract.query, PageQuery):
        codes |= _OF_PAGES
    if _reads_times(route, schemas):
        codes.add("timezone_required")
    if route.method == hdrs.METH_POST:
        codes |= _OF_REPEATS | ({"state_conflict"} if route.secret else set())
    if route.method in _OF_CHANGES:
        codes.add("version_mismatch")
    if route.fills_outbox:
        codes.add("backlog_too_old")
    return codes


def _reads_times(route: Route, schemas: Schemas) -> bool:
    contract = route.contract
    read = list(schemas.of_query(contract.query).values())
    if contract.reads_json:
        read.append(schemas.of(contract.body))
    return any(schemas.holds_time(schema) for schema in read)
