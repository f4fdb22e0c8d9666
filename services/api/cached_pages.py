"""First pages of lists, cached as they are sent: what most clients ask for costs no query and no encoding."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import hdrs

from services.api.call import Call
from services.api.http import Answer, Page, answer_page
from shared.cache import CacheNamespace, CacheService
from shared.pagination import link_header

T = TypeVar("T")


async def answer_cached_page(
    call: Call[Any, Any], load: Callable[[], Awaitable[Page[T]]], *, namespace: CacheNamespace, ttl: int
) -> Answer[Page[T]]:
    """The first page from the cache; any other from the database, and one that is counted or for a limited key.

    Args:
        call: of a list of the tenant's.
        load: reads the page that the call asks for.
        namespace: whose keys begin with the user alone.
        ttl: seconds at most; whatever changes the list invalidates it.
    """
    page = call.page
    if page.cursor is not None or page.count or call.caller.account_ids is not None:
        return answer_page(call.request, await load())

    async def encode() -> list[str | None]:
        found = await load()
        encoded = Answer[Page[T]](content=msgspec.json.encode(found))
        return [encoded.content.decode(), encoded.etag, found.pagination.next_cursor]

    # By the scope, which holds route and filters as they were written: the page's cursor is bound to it.
    scope = hashlib.blake2b(page.scope.encode(), digest_size=16).hexdigest()
    key = CacheService.key(namespace, call.user_id, scope, page.limit)
    content, etag, next_cursor = await call.deps.cache.get_or_set(key, encode, ttl)
    link = link_header(call.request.rel_url, {"next_cursor": next_cursor, "prev_cursor": None})
    return Answer(content=content.encode(), tag=etag, headers={hdrs.LINK: link} if link else {})
