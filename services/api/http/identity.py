"""Every request gets an id and a place in a trace, is counted and logged; every answer tells its id and its times."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Awaitable, Callable
from secrets import token_hex
from uuid import UUID

import structlog
from aiohttp import hdrs, web
from prometheus_client import Histogram
from structlog.contextvars import bound_contextvars

from shared.metrics import http_request_seconds, http_requests_in_progress
from shared.performance import Spent, answered_after_s, bound_spent, route_template, tell_response_time
from shared.trace import bound_trace

log = structlog.get_logger()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: What this server calls itself: no versions for whoever looks for weak ones.
SERVER = "InstaDistro"
_ID_HEADER = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_TRACE_HEADER = "traceparent"
_REQUEST_ID = web.RequestKey("request_id", str)
_SPENT = web.RequestKey("spent", Spent)
_CALLER = web.RequestKey("caller", tuple[UUID, str])
# They are asked every few seconds, by machines.
_PROBES = frozenset({"/healthz", "/readyz"})


def request_id_of(request: web.BaseRequest) -> str:
    """The id of a request: the client's own if it is a fit one, else made here."""
    if isinstance(request, web.Request) and _REQUEST_ID in request:
        return request[_REQUEST_ID]
    return _accepted(request.headers.get(_ID_HEADER, ""))


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost middleware: id, trace, metric, log line."""
    started = time.perf_counter()
    request[_REQUEST_ID] = _accepted(request.headers.get(_ID_HEADER, ""))
    status: int | None = None  # none: the client went away before there was an answer
    with (
        bound_contextvars(request_id=request[_REQUEST_ID]),
        bound_trace(_traceparent(request)),
        bound_spent() as spent,
    ):
        request[_SPENT] = spent
        http_requests_in_progress.inc()
        try:
            response = await handler(request)
            status = response.status
        finally:
            http_requests_in_progress.dec()
            took_s = time.perf_counter() - started
            _log_request(request, status, took_s, spent)
    # Of a stream, which may last for hours, the time until it began is what its client waited for.
    _seconds_of(route_template(request), _method(request), str(status)).observe(answered_after_s(request) or took_s)
    return response


@functools.cache
def _seconds_of(route: str, method: str, code: str) -> Histogram:
    # As many as there are series. Finding one by its labels takes longer than the rest of the count.
    return http_request_seconds.labels(route=route, method=method, code=code)


def remember_caller(request: web.Request, *, user_id: UUID, key_id: str) -> None:
    """Whose request it is, for the line that is logged at its end."""
    request[_CALLER] = (user_id, key_id)


def _log_request(request: web.Request, status: int | None, took_s: float, spent: Spent) -> None:
    tenant, key_id = request.get(_CALLER, (None, None))
    route = route_template(request)
    write = log.debug if route in _PROBES else log.info
    write(
        "request.done",
        method=_method(request),
        route=route,
        status=status,
        duration_ms=round(took_s * 1000, 1),
        db_ms=round(spent.database_ms, 1),
        queries=spent.queries,
        cache=spent.cache,
        tenant=None if tenant is None else str(tenant),
        actor=key_id,
    )


async def sign_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Signal before headers are sent: the id, and the times until now."""
    response.headers[_ID_HEADER] = request_id_of(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers[hdrs.SERVER] = SERVER
    took_ms = tell_response_time(request, response)
    response.headers["Server-Timing"] = _server_timing(request.get(_SPENT) or Spent(), took_ms)


def _server_timing(spent: Spent, took_ms: float) -> str:
    """Where the time went: waiting for the database, whether the cache had it, and the rest."""
    entries = [f"db;dur={spent.database_ms:.2f}"]
    if spent.cache is not None:
        entries.append(f"cache;desc={spent.cache}")
    rest_ms = max(0.0, took_ms - spent.database_ms)
    return ", ".join([*entries, f"app;dur={rest_ms:.2f}"])


def _accepted(given: str) -> str:
    return given if _ID.fullmatch(given) else token_hex(16)


def _traceparent(request: web.Request) -> str | None:
    given = request.headers.getall(_TRACE_HEADER, [])
    return given[0] if len(given) == 1 else None  # of several, none is the right one


def _method(request: web.Request) -> str:
    return request.method if request.method in hdrs.METH_ALL else "OTHER"
