"""What a call to the platform raised, as a problem. Neither holds a token: the client of the platform takes it out."""

from __future__ import annotations

from services.api.http import Fault, ProblemError
from shared.instagram import ErrorClass, GraphError, GraphUnreachableError, InstagramError

_PASSING = frozenset({ErrorClass.TRANSIENT, ErrorClass.THROTTLED})
_RETRY_AFTER = {"Retry-After": "10"}


def platform_problem(error: InstagramError) -> ProblemError:
    """`platform_error` with class and words of a refusal; `not_ready` where the same request may soon succeed."""
    if isinstance(error, GraphError) and error.error_class not in _PASSING:
        fault = Fault(code=error.error_class.value, message=error.message or error.rule.meaning)
        return ProblemError("platform_error", f"{error.rule.meaning}. {error.rule.advice}", errors=[fault])
    if isinstance(error, GraphError):
        detail = f"{error.rule.meaning}. Try again later."
    elif isinstance(error, GraphUnreachableError) and error.through_proxy:
        detail = "The account's proxy lets no call through. Check it, then try again."
    else:
        detail = "The platform gave no usable answer. Try again shortly."
    return ProblemError("not_ready", detail, headers=_RETRY_AFTER)
