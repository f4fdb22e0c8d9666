"""`/v1/me`: whose key this is."""

from __future__ import annotations

from aiohttp import web

from services.api.http import Caller, answer
from services.api.routing import get


async def get_me(_request: web.Request, caller: Caller) -> web.Response:
    """Tell the caller who it is."""
    return answer({"user_id": caller.user_id, "email": caller.email, "scopes": sorted(caller.scopes)})


ROUTES = [get("/v1/me", get_me)]
