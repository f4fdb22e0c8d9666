"""Holding a request to its limits, and telling the client how it stands."""

from __future__ import annotations

from aiohttp import web

from services.api.http import Caller
from services.api.limits.rate_limiter import RateLimiter
from services.api.limits.refusal import refusal

_TOLD = web.RequestKey("rate_limits", dict[str, str])


async def limit_request(request: web.Request, limiter: RateLimiter, caller: Caller, *, cost: int) -> None:
    """Count a request of a known client; its answer will tell what is left.

    Raises:
        ProblemError: `rate_limited`: the key or the tenant has used up its units.
    """
    verdict = await limiter.take(caller.key_id, caller.user_id, cost=cost)
    if verdict.told:
        request[_TOLD] = {"RateLimit-Policy": limiter.told, "RateLimit": verdict.told}
    if verdict.refused_by is not None:
        raise refusal(verdict.refused_by, verdict.wait_s)


async def tell_limits(request: web.Request, response: web.StreamResponse) -> None:
    """Signal before headers are sent: `RateLimit-Policy` and `RateLimit` of the IETF's draft of 2025-09."""
    response.headers.update(request.get(_TOLD, {}))
