"""The Graph API itself: its routes, and the way of every call through them."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from deploy.emulator import containers, publishing, reads
from deploy.emulator.call import Call, no_such_object
from deploy.emulator.calls import CallRecord
from deploy.emulator.errors import UNKNOWN_PATH, GraphError
from deploy.emulator.faults import Fault
from deploy.emulator.parameters import authenticate, read_parameters
from deploy.emulator.runtime import EMULATOR, Emulator
from deploy.emulator.state import World
from deploy.emulator.usage import usage_headers

Handler = Callable[[Call], Awaitable[dict[str, Any]]]

_LATE_MAX_S = 600.0
_CLIENT_WATCH_S = 0.05

_HANDLERS: dict[str, Handler] = {
    "create_container": containers.create_container,
    "get_container": containers.get_container,
    "media_publish": publishing.media_publish,
    "content_publishing_limit": publishing.content_publishing_limit,
    "list_media": reads.list_media,
    "get_media": reads.get_media,
    "get_account": reads.get_account,
}
# Method, edge under /{node}, endpoint. POST takes no "me": seen refused, though some samples show it.
_EDGES = (
    ("POST", "media", "create_container"),
    ("POST", "media_publish", "media_publish"),
    ("GET", "media", "list_media"),
    ("GET", "content_publishing_limit", "content_publishing_limit"),
)
_UNKNOWN = "unknown"
_VERSION = r"/{version:v\d+\.\d+}"
_NUMERIC = re.compile(r"(?:/v\d+\.\d+)?/([0-9]+)(?:/.*)?")


def add_graph_routes(router: web.UrlDispatcher) -> None:
    """Serve the Graph API, with or without a version in the path, and its errors everywhere else.

    Call it last: it takes every path that no route before it took.
    """
    for prefix in ("", _VERSION):
        for method, edge, endpoint in _EDGES:
            node = "{node:[0-9]+}" if method == "POST" else "{node:me|[0-9]+}"
            router.add_route(method, f"{prefix}/{node}/{edge}", _serving(_always(endpoint)))
        router.add_route("GET", f"{prefix}/{{node:me|[0-9]+}}", _serving(_endpoint_of_node))
    router.add_route("*", "/{path:.*}", _serving(_always(_UNKNOWN)))


def _always(endpoint: str) -> Callable[[World, str], str]:
    return lambda _world, _node: endpoint


def _endpoint_of_node(world: World, node: str) -> str:
    if node in world.containers:
        return "get_container"
    return "get_media" if node in world.media else "get_account"


def _serving(endpoint_of: Callable[[World, str], str]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        emulator = request.app[EMULATOR]
        await asyncio.sleep(emulator.options.latency_s)
        world = emulator.world
        endpoint = endpoint_of(world, request.match_info.get("node", ""))
        outcome = await _answer(request, emulator, world, endpoint)
        world.calls.append(outcome.record(request, endpoint, emulator))
        return await _deliver(request, emulator, outcome)

    return serve


@dataclass(kw_only=True)
class _Outcome:
    """What came of a call, before any of it is sent."""

    body: dict[str, Any]
    error: GraphError | None = None
    call: Call | None = None  # None: the token opened no account
    fault: Fault | None = None

    @property
    def status(self) -> int:
        return self.error.kind.http_status if self.error else 200

    @property
    def is_answered(self) -> bool:
        if self.fault is None or self.fault.kind.answer == "error":
            return True
        return self.fault.kind.answer == "late" and self.fault.seconds is not None

    def record(self, request: web.Request, endpoint: str, emulator: Emulator) -> CallRecord:
        return CallRecord(
            at=emulator.clock.now(),
            method=request.method,
            endpoint=endpoint,
            ig_user_id=self.call.account.ig_user_id if self.call else None,
            container_id=self.call.container_id if self.call else None,
            media_id=self.call.media_id if self.call else None,
            status=self.status if self.is_answered else None,
            code=self.error.kind.code if self.error else None,
            subcode=self.error.kind.subcode if self.error else None,
            fault=self.fault.kind_name if self.fault else None,
        )


async def _answer(request: web.Request, emulator: Emulator, world: World, endpoint: str) -> _Outcome:
    outcome = _Outcome(body={})
    try:
        params = await read_parameters(request)
        outcome.call = call = Call(
            emulator=emulator,
            world=world,
            account=authenticate(world, request, params, now=emulator.clock.now()),
            node=request.match_info.get("node", ""),
            params=params,
            url=f"{request.url.origin()}{request.path}",
            origin=str(request.url.origin()),
        )
        if endpoint == _UNKNOWN:
            raise _unknown(request)
        outcome.fault = world.faults.take(endpoint, call.account.ig_user_id)
        outcome.body = await _perform(call, endpoint, outcome)
    except GraphError as error:
        outcome.error = error
        outcome.body = error.envelope()
    return outcome


def _unknown(request: web.Request) -> GraphError:
    numeric = _NUMERIC.fullmatch(request.path)
    if numeric:
        return no_such_object(numeric[1])
    return GraphError(UNKNOWN_PATH, f"Unknown path components: {request.path}")


async def _perform(call: Call, endpoint: str, outcome: _Outcome) -> dict[str, Any]:
    fault = outcome.fault
    body: dict[str, Any] = {}
    if fault is None or fault.kind.has_effect:
        try:
            body = await _HANDLERS[endpoint](call)
        except GraphError:
            if fault is not None:
                call.world.faults.give_back(fault)
                outcome.fault = None
            raise
    if fault is not None and fault.error is not None:
        raise GraphError(fault.error)
    return body


async def _deliver(request: web.Request, emulator: Emulator, outcome: _Outcome) -> web.StreamResponse:
    fault = outcome.fault
    if fault is not None and fault.kind.answer == "late":
        await _wait(request, emulator.stopping, seconds=_LATE_MAX_S if fault.seconds is None else fault.seconds)
    if not outcome.is_answered and request.transport is not None:
        request.transport.abort()
    return web.json_response(outcome.body, status=outcome.status, headers=_headers(emulator, outcome.call))


async def _wait(request: web.Request, stopping: asyncio.Event, *, seconds: float) -> None:
    """Wait for the time, the client's leaving or the end of the application, whichever is first."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not stopping.is_set() and request.transport is not None and (left := until - loop.time()) > 0:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), min(left, _CLIENT_WATCH_S))


def _headers(emulator: Emulator, call: Call | None) -> dict[str, str]:
    if call is None:
        return {}
    now = emulator.clock.now()
    return usage_headers(
        emulator.options,
        app_calls=call.world.app_calls.add(now),
        account_calls=call.activity.calls.add(now),
        business_id=call.account.app_scoped_id,
    )
