"""Requests, timed: the answer tells how long it took, the log which ones took too long."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from shared.performance.tracker import PerformanceTracker

log = structlog.get_logger()
_SLOW_MS = 1000.0
_STARTED = web.RequestKey("performance_started", float)
_TRACKER = web.RequestKey("performance_tracker", PerformanceTracker)
_ANSWERED_MS = web.RequestKey("performance_answered_ms", float)


@web.middleware
async def performance_middleware(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Time a request, and log it if its answer took more than one second to begin.

    The headers of an answer are only open to change when it is sent, which for a stream is inside the handler. So the
    application's signal `on_response_prepare` calls `tell_response_time`, which writes `X-Response-Time`.
    """
    request[_STARTED] = time.perf_counter()
    request[_TRACKER] = PerformanceTracker()
    status: int | None = None  # none: it broke off, or its client went away
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        # A stream that lasts for hours is not slow if it began at once.
        took_ms = request.get(_ANSWERED_MS, _elapsed_ms(request))
        if took_ms > _SLOW_MS:
            log.warning(
                "request.slow",
                method=request.method,
                route=route_template(request),
                status=status,
                duration_ms=round(took_ms),
                checkpoints=request[_TRACKER].checkpoints,
            )
    return response


def checkpoint(request: web.BaseRequest, name: str) -> None:
    """A step of a request is done; a slow request is logged with its steps, in milliseconds from its begin."""
    if _TRACKER in request:
        request[_TRACKER].checkpoint(name)


def tell_response_time(request: web.BaseRequest, response: web.StreamResponse) -> float:
    """Write `X-Response-Time`, the milliseconds until now; 0 for what was answered before it reached a middleware.

    Returns:
        The same, in milliseconds.
    """
    took_ms = request[_ANSWERED_MS] = _elapsed_ms(request)
    response.headers["X-Response-Time"] = f"{took_ms:.2f}ms"
    return took_ms


def answered_after_s(request: web.BaseRequest) -> float | None:
    """The seconds until the headers of an answer that is sent from inside its handler, as a stream; None before."""
    return request[_ANSWERED_MS] / 1000 if _ANSWERED_MS in request else None


def route_template(request: web.Request) -> str:
    """The route as it was declared, such as `/v1/posts/{id}`, or `unmatched`: safe to log, to count and to group by."""
    resource = request.match_info.route.resource
    return "unmatched" if resource is None else resource.canonical


def _elapsed_ms(request: web.BaseRequest) -> float:
    return (time.perf_counter() - request[_STARTED]) * 1000 if _STARTED in request else 0.0
