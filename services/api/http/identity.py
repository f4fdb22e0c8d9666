"""Every request gets an id and a place in a trace, and is counted; every answer tells the id and the time it took."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from secrets import token_hex

from aiohttp import hdrs, web
from structlog.contextvars import bound_contextvars

from shared.metrics import http_request_seconds
from shared.performance import route_template, tell_response_time
from shared.trace import bound_trace

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: What this server calls itself: no versions for whoever looks for weak ones.
SERVER = "InstaDistro"
_ID_HEADER = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_TRACE_HEADER = "traceparent"
_REQUEST_ID = web.RequestKey("request_id", str)


def request_id_of(request: web.BaseRequest) -> str:
    """The id of a request: the client's own if it is a fit one, else made here."""
    if isinstance(request, web.Request) and _REQUEST_ID in request:
        return request[_REQUEST_ID]
    return _accepted(request.headers.get(_ID_HEADER, ""))


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost middleware: id, trace, metric."""
    started = time.perf_counter()
    request[_REQUEST_ID] = _accepted(request.headers.get(_ID_HEADER, ""))
    with bound_contextvars(request_id=request[_REQUEST_ID]), bound_trace(_traceparent(request)):
        response = await handler(request)
    labels = {"route": route_template(request), "method": _method(request), "code": str(response.status)}
    http_request_seconds.labels(**labels).observe(time.perf_counter() - started)
    return response


async def sign_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Signal before headers are sent: the id, and the time it took until now."""
    response.headers[_ID_HEADER] = request_id_of(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers[hdrs.SERVER] = SERVER
    tell_response_time(request, response)


def _accepted(given: str) -> str:
    return given if _ID.fullmatch(given) else token_hex(16)


def _traceparent(request: web.Request) -> str | None:
    given = request.headers.getall(_TRACE_HEADER, [])
    return given[0] if len(given) == 1 else None  # of several, none is the right one


def _method(request: web.Request) -> str:
    return request.method if request.method in hdrs.METH_ALL else "OTHER"
