"""Routes as data: method, path, handler and the scope a key needs for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from aiohttp import HttpVersion11, hdrs, web

from services.api.deps import DEPS
from services.api.http import Caller, ProblemError, Scope, read_query

#: A handler is told who asks; it parses, calls, and answers.
Handler = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route."""

    method: str
    path: str
    handler: Handler
    scope: Scope
    query: bool = False  # it reads query parameters, and refuses those it does not know


def get(path: str, handler: Handler, *, query: bool = False, scope: Scope = Scope.READ) -> Route:
    """A route that reads."""
    return Route(method=hdrs.METH_GET, path=path, handler=handler, scope=scope, query=query)


def post(path: str, handler: Handler, *, query: bool = False) -> Route:
    """A route that makes or does something."""
    return Route(method=hdrs.METH_POST, path=path, handler=handler, scope=Scope.WRITE, query=query)


def put(path: str, handler: Handler) -> Route:
    """A route after which something is as said, however often it is called."""
    return Route(method=hdrs.METH_PUT, path=path, handler=handler, scope=Scope.WRITE)


def delete(path: str, handler: Handler) -> Route:
    """A route after which something is gone, however often it is called."""
    return Route(method=hdrs.METH_DELETE, path=path, handler=handler, scope=Scope.WRITE)


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    """Add routes, each behind its scope."""
    for route in routes:
        handler = _guarded(route)
        app.router.add_route(route.method, route.path, handler, expect_handler=_meet_expectation)


def _guarded(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await request.app[DEPS].authenticator.authenticate(request)
        if route.scope not in caller.scopes:
            if route.scope is Scope.OPERATOR:
                raise web.HTTPNotFound  # to everybody else it is as if there were nothing under this path
            raise ProblemError("scope_missing", f"This needs a key with the scope {route.scope.value!r}.")
        if not route.query:
            # A wish that would be passed over in silence: `dry_run` where there is none publishes for real.
            read_query(request)
        return await route.handler(request, caller)

    return handle


async def _meet_expectation(request: web.Request) -> None:
    """Say "go on" to a client that asks before it sends a large body. Any other expectation may be left unmet."""
    if request.version == HttpVersion11 and request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # it is no part of the answer
