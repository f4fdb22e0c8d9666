"""Health of one account and of all together, as the health service judged it."""

from __future__ import annotations

from typing import Any

import msgspec

from services.api.call import Call
from services.api.health import store
from services.api.health.contract import Health, Swarm
from services.api.health.override_health import end_override, override_health
from services.api.http import Answer, NoQuery, ProblemError, answer, not_found
from services.api.routing import delete, get, post
from shared.accounts import read_swarm
from shared.cache import CacheTTL


async def get_health(call: Call[NoQuery, None]) -> Answer[Health]:
    """The newest judgement of one account."""
    account_id = call.id("account")
    call.caller.require_seen(account_id)

    async def load() -> dict[str, Any] | None:
        async with call.connect() as connection:
            return await store.score(connection, account_id, user_id=call.user_id)

    found = await call.deps.cache.get_or_set(store.score_key(call.user_id, account_id), load, CacheTTL.SHORT)
    if found is not None:
        return answer(msgspec.convert(found, Health))
    async with call.connect() as connection:
        if not await store.account_exists(connection, account_id, user_id=call.user_id):
            raise not_found("account")
    raise ProblemError("health_unknown", "The account has not been judged yet; its first check runs within a minute.")


async def get_swarm(call: Call[NoQuery, None]) -> Answer[Swarm]:
    """All accounts seen together: their score, what drags it down, and incidents that are none of theirs."""

    async def load() -> Any:
        async with call.connect() as connection:
            return msgspec.to_builtins(await read_swarm(connection, user_id=call.user_id))

    # Not for long: incidents come and go without a change of the tenant's own.
    found = await call.deps.cache.get_or_set(store.swarm_key(call.user_id), load, CacheTTL.VERY_SHORT)
    return answer(msgspec.convert(found, Swarm))


ROUTES = [
    get("/v1/accounts/{id}/health", get_health, limited=True, problems=("health_unknown",)),
    post("/v1/accounts/{id}/health/override", override_health, limited=True),
    delete("/v1/accounts/{id}/health/override", end_override, statuses=(200,), limited=True),
    get("/v1/accounts/stats/swarm", get_swarm),
    get("/v1/swarm/health", get_swarm),
]
