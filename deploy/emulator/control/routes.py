"""The control routes, under /_emulator/: for tests and demos, never a part of the platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import msgspec
from aiohttp import web

from deploy.emulator.control.accounts import add_accounts
from deploy.emulator.control.bodies import RefusedError, check_endpoint, converted, known_account, read_json
from deploy.emulator.control.faults import add_fault, list_faults
from deploy.emulator.faults import ENDPOINTS, KINDS
from deploy.emulator.options import Options
from deploy.emulator.runtime import EMULATOR, Emulator
from deploy.emulator.state import Media

Handler = Callable[[web.Request, Emulator], Awaitable[Any]]

_PREFIX = "/_emulator"


def add_control_routes(router: web.UrlDispatcher) -> None:
    """Serve the control routes, the front page and the readiness probe."""
    router.add_route("GET", "/", _serving(_describe))
    router.add_route("GET", "/healthz", _serving(_report_health))
    router.add_route("GET", f"{_PREFIX}/", _serving(_describe))
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


async def _describe(_request: web.Request, emulator: Emulator) -> dict[str, Any]:
    return {
        "what": "A stand-in for Instagram's Graph API, for development and tests. Nothing here reaches Instagram.",
        "accounts": len(emulator.world.accounts),
        "media": len(emulator.world.media),
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


async def _list_media(request: web.Request, emulator: Emulator) -> list[dict[str, Any]]:
    world = emulator.world
    ig_user_id = known_account(world, request.query.get("ig_user_id"))
    if ig_user_id is None:
        return [_media_json(media) for media in world.media.values()]
    return [_media_json(world.media[str(any_id)]) for any_id in world.activity[ig_user_id].media_ids]


def _media_json(media: Media) -> dict[str, Any]:
    return {
        "id": media.id,
        "ig_user_id": media.ig_user_id,
        "container_id": media.container_id,
        "caption": media.caption,
        "timestamp": media.published_at,
        "permalink": media.permalink,
        "image_url": media.image_url,
        **asdict(media.image),
    }


async def _list_calls(request: web.Request, emulator: Emulator) -> list[Any]:
    endpoint = request.query.get("endpoint")
    if endpoint is not None:
        check_endpoint(endpoint, (*ENDPOINTS, "unknown"))
    ig_user_id = known_account(emulator.world, request.query.get("ig_user_id"))
    return list(emulator.world.calls.select(endpoint=endpoint, ig_user_id=ig_user_id))


async def _reset(request: web.Request, emulator: Emulator) -> dict[str, Any]:
    changes = converted(await read_json(request), dict[str, Any])
    merged = {**msgspec.to_builtins(emulator.start_options), **changes}
    emulator.reset(converted(merged, Options))
    return {"accounts": len(emulator.world.accounts), "options": emulator.options}


_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "accounts", add_accounts),
    ("GET", "media", _list_media),
    ("GET", "calls", _list_calls),
    ("GET", "faults", list_faults),
    ("POST", "faults", add_fault),
    ("POST", "reset", _reset),
)
