"""From what a call raised to what it means for the publication: one table, used by every step."""

from __future__ import annotations

from services.publisher.results import Deferred, Failed, Fault, Held, Result, Retry
from shared.accounts import AccountState
from shared.instagram import ErrorClass, GraphError, GraphUnreachableError, InstagramError

# The platform's window rolls; half an hour is soon enough to look again and rare enough not to hammer.
_QUOTA_DELAY_S = 1_800.0
THROTTLED_DELAY_S = 300.0
UNREACHABLE_DELAY_S = 15.0
_NOT_READY_DELAY_S = 5.0
# Meta answers so for objects that are too fresh for its readers: it says nothing about them.
_TOO_FRESH = (100, 33)


def fault_of(error: InstagramError) -> Fault:
    """What is stored and shown of a failed call: never a token, never a URL with one."""
    fault: dict[str, object] = {"operation": error.operation, "message": str(error)}
    if isinstance(error, GraphError):
        fault |= {
            "class": error.error_class.value,
            "code": error.code,
            "subcode": error.subcode,
            "advice": error.rule.advice,
            "fbtrace_id": error.fbtrace_id,
        }
    else:
        fault |= {"class": error.outcome}
    return fault


def says_nothing(error: InstagramError) -> bool:
    """Whether a failed read is Meta's known hiccup on fresh objects."""
    return isinstance(error, GraphError) and (error.code, error.subcode) == _TOO_FRESH


def judge(error: InstagramError, *, unsend: bool = False) -> Result:
    """What a failed call that certainly published nothing means.

    Args:
        error: what the call raised.
        unsend: the call was the publish itself: its mark is taken back.
    """
    fault = fault_of(error)
    if isinstance(error, GraphUnreachableError):
        # Nothing left this machine: a fault of the network, not of the publication.
        return Deferred(reason="platform_unreachable", delay_s=UNREACHABLE_DELAY_S, fault=fault, unsend=unsend)
    error_class = error.error_class if isinstance(error, GraphError) else ErrorClass.TRANSIENT
    match error_class:
        case ErrorClass.FIX_CONTENT:
            return Failed(reason="content_rejected", fault=fault, drop_container=True, unsend=unsend)
        case ErrorClass.REAUTH:
            return Held(reason="reauth_required", account_state=AccountState.NEEDS_REAUTH, fault=fault, unsend=unsend)
        case ErrorClass.RESTRICTED | ErrorClass.SPAM_SUSPECTED:
            return Held(reason="account_restricted", account_state=AccountState.RESTRICTED, fault=fault, unsend=unsend)
        case ErrorClass.QUOTA:
            return Deferred(reason="quota", delay_s=_QUOTA_DELAY_S, fault=fault, unsend=unsend)
        case ErrorClass.THROTTLED:
            return Deferred(reason="throttled", delay_s=THROTTLED_DELAY_S, fault=fault, unsend=unsend)
        case ErrorClass.NOT_READY:
            return Deferred(reason="processing", delay_s=_NOT_READY_DELAY_S, fault=fault, unsend=unsend)
        case ErrorClass.NEW_CONTAINER:
            return Retry(reason="container_lost", fault=fault, drop_container=True, unsend=unsend)
        case _:
            return Retry(reason="platform_error", fault=fault, unsend=unsend)
