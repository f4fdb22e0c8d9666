"""Health of one account and of all together, as the health service judged it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.api.connections import connect
from services.api.deps import DEPS
from services.api.health import store
from services.api.http import Caller, ProblemError, answer, not_found, path_id
from services.api.routing import get
from shared.cache import CacheTTL


async def get_health(request: web.Request, caller: Caller) -> web.Response:
    """The newest judgement of one account."""
    deps, account_id = request.app[DEPS], path_id(request, "account")

    async def load() -> dict[str, Any] | None:
        async with connect(deps.pool) as connection:
            return await store.score(connection, account_id, user_id=caller.user_id)

    found = await deps.cache.get_or_set(store.score_key(caller.user_id, account_id), load, CacheTTL.SHORT)
    if found is not None:
        return answer(found)
    async with connect(deps.pool) as connection:
        if not await store.account_exists(connection, account_id, user_id=caller.user_id):
            raise not_found("account")
    raise ProblemError("health_unknown", "The account has not been judged yet; its first check runs within a minute.")


async def get_swarm(request: web.Request, caller: Caller) -> web.Response:
    """Figures over all accounts."""
    deps = request.app[DEPS]

    async def load() -> dict[str, Any]:
        async with connect(deps.pool) as connection:
            return await store.swarm(connection, user_id=caller.user_id)

    return answer(await deps.cache.get_or_set(store.swarm_key(caller.user_id), load, CacheTTL.SHORT))


ROUTES = [
    get("/v1/accounts/{id}/health", get_health),
    get("/v1/accounts/stats/swarm", get_swarm),
    get("/v1/swarm/health", get_swarm),
]
