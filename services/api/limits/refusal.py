"""The problem of a client that asks too often."""

from __future__ import annotations

import math

from services.api.http.problems import Fault, ProblemError
from services.api.limits.policy import Policy
from shared import metrics


def refusal(policy: Policy, wait_s: float, *, told: str | None = None) -> ProblemError:
    """`rate_limited`, and one more on the counter.

    Args:
        policy: whose units are used up.
        wait_s: when the request can succeed.
        told: the header `RateLimit-Policy`, where nobody else tells it.
    """
    metrics.rate_limited_total.labels(policy=policy.name).inc()
    seconds = max(math.ceil(wait_s), 1)
    message = f'The policy "{policy.name}" gives {policy.burst} units in {policy.window_s} s, and they are used up.'
    fault = Fault(code=f"{policy.name}_limit", message=message)
    headers = {"Retry-After": str(seconds)} | ({"RateLimit-Policy": told} if told else {})
    return ProblemError("rate_limited", f"{message} Come again in {seconds} s.", errors=[fault], headers=headers)
