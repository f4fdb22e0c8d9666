"""The control routes, under /_emulator/: for tests and demos, never a part of the platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from deploy.emulator.control.accounts import add_accounts
from deploy.emulator.control.bodies import RefusedError, check_endpoint, known_account
from deploy.emulator.control.faults import add_fault, clear_faults, list_faults
from deploy.emulator.control.media import list_media
from deploy.emulator.control.world import advance_clock, reset, set_permissions, show_clock
from deploy.emulator.faults import ENDPOINTS, KINDS
from deploy.emulator.pages import show_preview, show_wall
from deploy.emulator.runtime import EMULATOR, Emulator

Handler = Callable[[web.Request, Emulator], Awaitable[Any]]

_PREFIX = "/_emulator"


def add_control_routes(router: web.UrlDispatcher) -> None:
    """Serve the control routes, the front page and the readiness probe."""
    router.add_route("GET", "/", _describe_or_show)
    router.add_route("GET", "/healthz", _serving(_report_health))
    router.add_route("GET", f"{_PREFIX}/", _describe_or_show)
    router.add_route("GET", f"{_PREFIX}/previews/{{key:[0-9a-f]{{64}}}}.jpg", show_preview)
    for method, name, handler in _ROUTES:
        router.add_route(method, f"{_PREFIX}/{name}", _serving(handler))
    router.add_route("*", f"{_PREFIX}{{path:(?:/.*)?}}", _serving(_refuse_path, status=404))


def _serving(handler: Handler, *, status: int = 400) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        try:
            answer = await handler(request, request.app[EMULATOR])
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=status)
        return web.Response(body=msgspec.json.encode(answer) + b"\n", content_type="application/json")

    return serve


async def _describe_or_show(request: web.Request) -> web.StreamResponse:
    """A page for a person, JSON for everybody else."""
    if "text/html" in request.headers.get("Accept", ""):
        return await show_wall(request)
    return await _serving(_describe)(request)


async def _describe(_request: web.Request, emulator: Emulator) -> dict[str, Any]:
    world = emulator.world
    return {
        "what": "A stand-in for Instagram's Graph API, for development and tests. Nothing here reaches Instagram.",
        "now": emulator.clock.now(),
        "accounts": len(world.accounts),
        "media": len(world.media),
        "calls": dict(world.calls_of),
        "faults_met": dict(world.faults_met),
        "options": emulator.options,
        "control": [f"{method} {_PREFIX}/{name}" for method, name, _ in _ROUTES],
        "endpoints": ENDPOINTS,
        "fault_kinds": list(KINDS),
    }


async def _report_health(_request: web.Request, _emulator: Emulator) -> dict[str, str]:
    return {"status": "ok"}


async def _refuse_path(request: web.Request, _emulator: Emulator) -> None:
    known = ", ".join(f"{method} {_PREFIX}/{name}" for method, name, _ in _ROUTES)
    raise RefusedError(f"There is no {request.method} {request.path}. There is: {known}.")


async def _list_calls(request: web.Request, emulator: Emulator) -> list[Any]:
    endpoint = request.query.get("endpoint")
    if endpoint is not None:
        check_endpoint(endpoint, (*ENDPOINTS, "unknown"))
    ig_user_id = known_account(emulator.world, request.query.get("ig_user_id"))
    return list(emulator.world.calls.select(endpoint=endpoint, ig_user_id=ig_user_id))


_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "accounts", add_accounts),
    ("POST", "permissions", set_permissions),
    ("GET", "media", list_media),
    ("GET", "calls", _list_calls),
    ("GET", "faults", list_faults),
    ("POST", "faults", add_fault),
    ("DELETE", "faults", clear_faults),
    ("GET", "clock", show_clock),
    ("POST", "clock", advance_clock),
    ("POST", "reset", reset),
)
