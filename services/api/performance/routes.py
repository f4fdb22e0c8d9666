"""How this process has been doing, for operators."""

from __future__ import annotations

from aiohttp import web

from services.api.http import Caller, Scope, answer
from services.api.routing import get
from shared.performance import create_performance_report


async def show_report(_request: web.Request, _caller: Caller) -> web.Response:
    """The report of the process that answers."""
    return answer(create_performance_report())


ROUTES = (get("/v1/performance", show_report, scope=Scope.OPERATOR),)
