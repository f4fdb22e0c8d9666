"""`/v1/protocols`: the warm-ups that an account may be given."""

from __future__ import annotations

from typing import Any

import msgspec

from services.api.call import Call
from services.api.http import Answer, NoQuery, Page, Pagination, answer, not_found
from services.api.protocols import store
from services.api.protocols.contract import Protocol
from services.api.routing import get
from shared.cache import CacheNamespace, CacheService, CacheTTL
from shared.pagination import PAGINATION_LIMITS


async def list_protocols(call: Call[NoQuery, None]) -> Answer[Page[Protocol]]:
    """All warm-up protocols: reference data, the same for every tenant."""
    pagination = Pagination(limit=PAGINATION_LIMITS.MAX, next_cursor=None, prev_cursor=None, has_more=False)
    return answer(Page(data=await _load(call), pagination=pagination))


async def get_protocol(call: Call[NoQuery, None]) -> Answer[Protocol]:
    """One warm-up protocol."""
    wanted = call.request.match_info["id"]
    for protocol in await _load(call):
        if protocol.id == wanted:
            return answer(protocol)
    raise not_found("protocol")


async def _load(call: Call[Any, Any]) -> list[Protocol]:
    async def load() -> Any:
        async with call.connect() as connection:
            return msgspec.to_builtins(await store.find_all(connection))

    found = await call.deps.cache.get_or_set(CacheService.key(CacheNamespace.PROTOCOL), load, CacheTTL.VERY_LONG)
    return msgspec.convert(found, list[Protocol])


ROUTES = [
    get("/v1/protocols", list_protocols, limited=True),
    get("/v1/protocols/{id}", get_protocol, id_type=str, limited=True),
]
