"""Routes as data: method, path, handler, and what a key needs for it. The handler's signature is the contract.

A handler is `async def handler(call: Call[Q, B]) -> Answer[T]`: `Q` is a `Query` (or `NoQuery`), `B` a `Body` (`None`
where there is none, `Stream` where the handler reads it), `T` what it answers. The gateway parses by them, and
documents them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from aiohttp import HttpVersion11, hdrs, web

from services.api.call import Call, Stream
from services.api.deps import DEPS, Deps
from services.api.guards import Guards
from services.api.http import (
    JSON_BYTES_MAX,
    Answer,
    Body,
    Caller,
    ProblemError,
    Query,
    Scope,
    decode_json,
    read_bytes,
    read_query,
    remember_caller,
)
from services.api.idempotency.replay import Repeatable, ReplayError, read_key
from services.api.limits.limit_requests import limit_request
from shared.kill_points import kill_point
from shared.performance import checkpoint

Handler: TypeAlias = Callable[[Call[Any, Any]], Awaitable[Any]]

#: Who asks where no key is needed.
ANYBODY = Caller(user_id=UUID(int=0), email="", scopes=frozenset(), key_id="", account_ids=frozenset())
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a handler's signature says."""

    query: type[Query]
    body: Any  # a struct, None, or Stream
    answer: Any  # what the answer holds; None: nothing; web.StreamResponse: the handler sends something else than JSON

    @property
    def reads_json(self) -> bool:
        """Whether there is a JSON body to be read before the handler runs."""
        return self.body not in {None, type(None), Stream}

    @property
    def answers_json(self) -> bool:
        """Whether its good answers hold JSON."""
        return self.answer not in {None, type(None), web.StreamResponse}

    @cached_property
    def may_lack_body(self) -> bool:
        """Whether an empty body stands for `{}`."""
        fields = msgspec.structs.fields(self.body) if issubclass(self.body, Body) else ()
        return all(not field.required for field in fields)


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route."""

    method: str
    path: str
    handler: Handler
    scope: Scope
    statuses: tuple[int, ...]  # of its good answers
    limited: bool = False  # the handler keeps to `caller.account_ids`; else keys that are limited are refused
    public: bool = False  # without a key: something in the address is the proof, and the caller is `ANYBODY`
    problems: tuple[str, ...] = ()  # codes a client can meet here, beside those of every route
    cost: int = 1  # how much of a client's rate it uses
    fills_outbox: bool = False  # it is refused while what was accepted before is not sent
    secret: bool = False  # its answer holds a secret that is shown this once
    body_max: int = JSON_BYTES_MAX  # bytes
    consumes: Mapping[str, Any] = field(default_factory=dict)  # what a `Stream` may be: its types, by content type
    reads: tuple[str, ...] = ()  # headers that it reads, beside those of every route
    produces: str = JSON  # the content type of its good answers
    id_type: type = UUID  # what the id in its path is
    contract: Contract = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "contract", _contract(self.handler))


def get(
    path: str, handler: Handler, *, scope: Scope = Scope.READ, statuses: tuple[int, ...] = (200,), **more: Any
) -> Route:
    """A route that reads."""
    return Route(method=hdrs.METH_GET, path=path, handler=handler, scope=scope, statuses=statuses, **more)


def post(
    path: str, handler: Handler, *, scope: Scope = Scope.WRITE, statuses: tuple[int, ...] = (200,), **more: Any
) -> Route:
    """A route that makes or does something."""
    return Route(method=hdrs.METH_POST, path=path, handler=handler, scope=scope, statuses=statuses, **more)


def patch(
    path: str, handler: Handler, *, scope: Scope = Scope.WRITE, statuses: tuple[int, ...] = (200,), **more: Any
) -> Route:
    """A route that changes what is given and leaves the rest."""
    return Route(method=hdrs.METH_PATCH, path=path, handler=handler, scope=scope, statuses=statuses, **more)


def put(
    path: str, handler: Handler, *, scope: Scope = Scope.WRITE, statuses: tuple[int, ...] = (204,), **more: Any
) -> Route:
    """A route after which something is as said, however often it is called."""
    return Route(method=hdrs.METH_PUT, path=path, handler=handler, scope=scope, statuses=statuses, **more)


def delete(
    path: str, handler: Handler, *, scope: Scope = Scope.WRITE, statuses: tuple[int, ...] = (204,), **more: Any
) -> Route:
    """A route after which something is gone, however often it is called."""
    return Route(method=hdrs.METH_DELETE, path=path, handler=handler, scope=scope, statuses=statuses, **more)


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    """Add routes, each behind its scope."""
    for route in routes:
        handler = _guarded(route)
        app.router.add_route(route.method, route.path, handler, expect_handler=_meet_expectation)


def _guarded(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        deps = request.app[DEPS]
        caller = await _authorize(route, request, deps.guards)
        # Wishes that would be passed over in silence are refused: `dry_run` where there is none publishes for real.
        # The address of a public route is written by another system, which may say more than we need.
        query = read_query(request, route.contract.query, strict=not route.public)
        content = await read_bytes(request, limit=route.body_max) if route.contract.reads_json else b""
        checkpoint(request, "read")
        call = Call(request=request, deps=deps, caller=caller, query=query, body=_body(route, content))
        try:
            answered = await _answer(route, call, content)
        except ReplayError as replay:
            answered = replay.answer
        if route.method != hdrs.METH_GET:
            kill_point("api.committed")
        checkpoint(request, "handled")
        return _respond(request, answered) if isinstance(answered, Answer) else answered

    return handle


async def _authorize(route: Route, request: web.Request, guards: Guards) -> Caller:
    if route.public:
        guards.authenticator.admit_anonymous(request)
        return ANYBODY
    caller = await guards.authenticator.authenticate(request)
    remember_caller(request, user_id=caller.user_id, key_id=caller.key_id)
    checkpoint(request, "authenticated")
    await limit_request(request, guards.limiter, caller, cost=route.cost)
    _require_right(route, caller)
    return caller


def _require_right(route: Route, caller: Caller) -> None:
    if route.scope not in caller.scopes:
        if route.scope is Scope.OPERATOR:
            raise web.HTTPNotFound  # to everybody else it is as if there were nothing under this path
        raise ProblemError("scope_missing", f"This needs a key with the scope {route.scope.value!r}.")
    if caller.account_ids is not None and not route.limited:
        raise ProblemError("account_not_allowed", "The API key is limited to some accounts; this concerns all of them.")


def _body(route: Route, content: bytes) -> Any:
    if not route.contract.reads_json:
        return None
    return decode_json(content or b"{}" if route.contract.may_lack_body else content, route.contract.body)


async def _answer(route: Route, call: Call[Any, Any], content: bytes) -> Any:
    repeatable = _repeatable(route, call, content)
    if repeatable is not None and route.contract.body is not Stream:
        await repeatable.look_up()
    # Only now: what was accepted before is answered again, however full the outbox is.
    if route.fills_outbox and not getattr(call.query, "dry_run", False):
        await call.deps.guards.outbox_age.require_young()
    if repeatable is None:
        return await route.handler(call)
    try:
        answered = await route.handler(replace(call, repeatable=repeatable))
        if isinstance(answered, Answer) and not repeatable.is_kept:
            # It changed nothing, or nothing that a transaction covers.
            async with repeatable.begin() as tx:
                await repeatable.keep(tx, answered)
    except ReplayError:
        raise
    except Exception:  # who is cut off in a platform call has perhaps made it: then the reservation stays
        await repeatable.give_up()
        raise
    return answered


def _repeatable(route: Route, call: Call[Any, Any], content: bytes) -> Repeatable | None:
    if route.method != hdrs.METH_POST:
        return None
    deps: Deps = call.deps
    return read_key(call.request, call.caller, body=content, secret=route.secret, pool=deps.pool, cipher=deps.cipher)


def _respond(request: web.Request, answered: Answer[Any]) -> web.StreamResponse:
    if request.method != hdrs.METH_GET or answered.status != web.HTTPOk.status_code:
        return answered.to_response()
    # It may be kept by the client itself, and asked about each time.
    etag = answered.etag
    headers = {**answered.headers, hdrs.ETAG: etag, hdrs.CACHE_CONTROL: "private, no-cache"}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")}
    if etag in known or "*" in known:
        return Answer(content=b"", status=web.HTTPNotModified.status_code, headers=headers).to_response()
    return Answer(content=answered.content, status=answered.status, headers=headers).to_response()


def _contract(handler: Handler) -> Contract:
    hints = get_type_hints(handler)
    given, answered = hints["call"], hints["return"]
    if get_origin(given) is not Call:
        raise TypeError(f"{handler} takes no Call[...], so nobody knows what it reads")
    query, body = get_args(given)
    found = get_args(answered)[0] if get_origin(answered) is Answer else web.StreamResponse
    return Contract(query=query, body=None if body is type(None) else body, answer=found)


async def _meet_expectation(request: web.Request) -> None:
    """Say "go on" to a client that asks before it sends a large body. Any other expectation may be left unmet."""
    if request.version == HttpVersion11 and request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # it is no part of the answer
