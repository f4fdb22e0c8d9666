"""The Graph API itself: the way of every call through it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from aiohttp import web

from deploy.emulator.call import Call, no_such_object
from deploy.emulator.delivery import deliver
from deploy.emulator.endpoints import ENDPOINTS, UNKNOWN, find_endpoint
from deploy.emulator.error_table import ACCOUNT_THROTTLED, APP_THROTTLED, PERMISSION_MISSING, UNKNOWN_PATH
from deploy.emulator.errors import GraphError
from deploy.emulator.faults import Fault
from deploy.emulator.outcome import Outcome
from deploy.emulator.parameters import caller, read_parameters
from deploy.emulator.runtime import EMULATOR, Emulator
from deploy.emulator.state import World
from deploy.emulator.usage import regain

_THROTTLE_S = 60.0  # unless the fault says how long


def add_graph_routes(router: web.UrlDispatcher) -> None:
    """Serve the Graph API, and its errors everywhere else.

    Call it last: it takes every path that no route before it took.
    """
    router.add_route("*", "/{path:.*}", _serve)


async def _serve(request: web.Request) -> web.StreamResponse:
    emulator = request.app[EMULATOR]
    if emulator.options.latency_s:
        await asyncio.sleep(emulator.options.latency_s)
    world = emulator.world
    endpoint, node = find_endpoint(world, request.method, request.path)
    outcome = await _answer(request, emulator, world, endpoint, node)
    world.calls_of[endpoint] += 1
    record = outcome.record(method=request.method, endpoint=endpoint, now=emulator.clock.now())
    world.calls.append(record)
    if record.fault is not None:
        world.faults_met[record.fault] += 1
    return await deliver(request, emulator, outcome)


async def _answer(request: web.Request, emulator: Emulator, world: World, endpoint: str, node: str) -> Outcome:
    outcome = Outcome(body={})
    by_code = endpoint != UNKNOWN and ENDPOINTS[endpoint].by_code
    try:
        params = await read_parameters(request)
        account, access_token = caller(world, request, params, by_code=by_code, now=emulator.clock.now())
        origin = f"{request.scheme}://{request.host}"
        outcome.call = call = Call(
            emulator=emulator,
            world=world,
            account=account,
            access_token=access_token,
            node=node,
            params=params,
            url=f"{origin}{request.path}",
            origin=origin,
        )
        _require_allowance(call)
        if endpoint == UNKNOWN:
            raise no_such_object(node) if node.isdecimal() else _unknown(request)
        outcome.body = await _perform(call, endpoint)
    except GraphError as error:
        outcome.error = error
        outcome.body = error.oauth_envelope() if by_code else error.envelope()
    return outcome


def _unknown(request: web.Request) -> GraphError:
    return GraphError(UNKNOWN_PATH, f"Unknown path components: {request.path}")


def _require_allowance(call: Call) -> None:
    app, account = regain(call.options, app=call.world.app_calls, account=call.activity.calls, now=call.now())
    if app:
        raise GraphError(APP_THROTTLED)
    if account:
        raise GraphError(ACCOUNT_THROTTLED)
    call.world.app_calls.add(call.now())
    call.activity.calls.add(call.now())


async def _perform(call: Call, endpoint: str) -> dict[str, Any]:
    permission = ENDPOINTS[endpoint].permission
    if permission is not None and permission not in call.activity.permissions:
        raise GraphError(PERMISSION_MISSING, f"{PERMISSION_MISSING.message}: it needs {permission}")
    call.fault = fault = call.world.faults.take(endpoint, call.account.ig_user_id)
    body: dict[str, Any] = {}
    if fault is None or fault.kind.has_effect:
        try:
            body = await ENDPOINTS[endpoint].serve(call)
        except GraphError:
            if fault is not None:
                call.world.faults.give_back(fault)
                call.fault = None
            raise
    if fault is not None and fault.kind.answer == "error" and fault.error is not None:
        _begin(call, fault)
        raise GraphError(fault.error)
    return body


def _begin(call: Call, fault: Fault) -> None:
    """What a fault does to the calls after this one."""
    if fault.kind.effect == "revoke" and fault.error is not None:
        call.world.tokens.end_all(call.account.ig_user_id, told_as=fault.error)
    if fault.kind.effect == "throttle" and fault.error is not None:
        until = call.now() + timedelta(seconds=_THROTTLE_S if fault.seconds is None else fault.seconds)
        is_of_app = fault.error.code == APP_THROTTLED.code
        (call.world.app_calls if is_of_app else call.activity.calls).close(until)
