"""How this process has been doing, for operators."""

from __future__ import annotations

from typing import Any

from services.api.call import Call
from services.api.http import Answer, NoQuery, Scope, answer
from services.api.routing import get
from shared.performance import create_performance_report


async def show_report(call: Call[NoQuery, None]) -> Answer[dict[str, Any]]:
    """The report of the process that answers."""
    del call
    return answer(create_performance_report())


ROUTES = [get("/v1/performance", show_report, scope=Scope.OPERATOR)]
