"""What each class of refusal does to the publication, the account and the budget of calls: one table for every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from services.publisher.results import Deferred, Failed, Fault, Held, Result, Retry
from shared.accounts import AccountState
from shared.instagram import (
    ContainerStatus,
    ErrorClass,
    GraphError,
    GraphUnreachableError,
    InstagramError,
    classify_container,
)

#: The reason of a try that failed because the platform did.
PLATFORM_ERROR = "platform_error"
#: The reason of a publication that waits until the platform is back.
PLATFORM_DOWN = "platform_down"
#: The reason of a publication that waits for the platform's publishing limit.
QUOTA = "quota"
#: The reason of a publication whose container is not ready.
PROCESSING = "processing"
#: The reason of a try whose media the platform could not fetch.
MEDIA_NOT_FETCHED = "media_not_fetched"
THROTTLED_DELAY_S = 300.0
_NO_NETWORK = ("platform_unreachable", 15.0)
_NO_EGRESS = ("egress_unreachable", 60.0)
# The platform's window rolls: soon enough to ask again where our own publications do not tell when it has room.
_QUOTA_DELAY_S = 1_800.0
# Meta answers so for objects that are too fresh for its readers: it says nothing about them.
_TOO_FRESH = (100, 33)
_NOT_FETCHED = 9004


class Fate(StrEnum):
    """What becomes of the publication."""

    RETRY = "tried again, an attempt counts"
    RENEW = "tried again with a new container, an attempt counts"
    WAIT = "waits, no attempt counts"
    HOLD = "held until a person acts, no attempt counts"
    FAIL = "failed at once"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a class of refusal does."""

    fate: Fate
    reason: str  # of the row, while it waits or where it ends at once
    spent: str = "exhausted"  # of the row, once its attempts are used up
    delay_s: float = 0.0  # of a wait of fixed length; a retry follows its backoff
    account_state: AccountState | None = None  # where the account goes
    budget: str = "nobody else waits"  # who else makes no call meanwhile; the platform gate sees to it
    says: str  # to a person: what happens now, and what there is to do


EFFECTS: Mapping[ErrorClass, Effect] = MappingProxyType(
    {
        ErrorClass.TRANSIENT: Effect(
            fate=Fate.RETRY,
            reason=PLATFORM_ERROR,
            budget="all accounts, if many fail so at once",
            says="The platform failed; it is tried again. In an outage it waits and goes on by itself.",
        ),
        ErrorClass.NEW_CONTAINER: Effect(
            fate=Fate.RENEW,
            reason="container_lost",
            spent="content_rejected",
            says="The media is submitted again. If that fails each time, the media is at fault: follow the advice.",
        ),
        ErrorClass.NOT_READY: Effect(
            fate=Fate.WAIT,
            reason=PROCESSING,
            says="The platform still processes the media; nothing to do.",
        ),
        ErrorClass.QUOTA: Effect(
            fate=Fate.WAIT,
            reason=QUOTA,
            delay_s=_QUOTA_DELAY_S,
            budget="the account's other publications wait for the same moment",
            says="The account has used up the platform's publishing limit; it goes on when the 24 h window has room.",
        ),
        ErrorClass.THROTTLED: Effect(
            fate=Fate.WAIT,
            reason="throttled",
            delay_s=THROTTLED_DELAY_S,
            budget="the account, or all accounts where the limit is the app's",
            says="Too many calls were made; it goes on by itself when the platform allows calls again.",
        ),
        ErrorClass.REAUTH: Effect(
            fate=Fate.HOLD,
            reason="reauth_required",
            account_state=AccountState.NEEDS_REAUTH,
            says="The owner must connect the account again; what is held goes on then.",
        ),
        ErrorClass.FIX_CONTENT: Effect(
            fate=Fate.FAIL,
            reason="content_rejected",
            says="The platform does not take this post: change it as advised, then retry.",
        ),
        ErrorClass.RESTRICTED: Effect(
            fate=Fate.HOLD,
            reason="account_restricted",
            account_state=AccountState.RESTRICTED,
            says="The owner must clear the restriction in the Instagram app, then the account can be resumed.",
        ),
        ErrorClass.SPAM_SUSPECTED: Effect(
            fate=Fate.HOLD,
            reason="account_restricted",
            account_state=AccountState.RESTRICTED,
            says="The platform suspects spam: let the account rest for some days, then resume it.",
        ),
        ErrorClass.UNKNOWN: Effect(
            fate=Fate.RETRY,
            reason=PLATFORM_ERROR,
            says="The platform gave an error not known here; it is tried again. If it stays, look at the account.",
        ),
    }
)


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
        # Nothing reached the platform: a fault of the network, not of the publication.
        waits_for, delay_s = _NO_EGRESS if error.through_proxy else _NO_NETWORK
        return Deferred(reason=waits_for, delay_s=delay_s, fault=fault, unsend=unsend)
    if not isinstance(error, GraphError):
        return _apply(EFFECTS[ErrorClass.TRANSIENT], fault, unsend=unsend)
    reason = MEDIA_NOT_FETCHED if error.code == _NOT_FETCHED else None
    return _apply(EFFECTS[error.error_class], fault, reason=reason, unsend=unsend)


def judge_container(status: ContainerStatus) -> Failed | Retry:
    """What a container in state ERROR means, by the number in its status text.

    It is lost whatever the number says. Where that would speak of the account, the call for the next container tells.
    """
    rule = classify_container(status.subcode)
    fault: Fault = {
        "operation": "container_status",
        "class": rule.error_class.value,
        "subcode": status.subcode,
        "message": f"{rule.meaning}. {rule.advice} The platform said: {status.detail}",
        "advice": rule.advice,
    }
    if EFFECTS[rule.error_class].fate is Fate.FAIL:
        return Failed(reason="content_rejected", fault=fault, drop_container=True)
    reason = MEDIA_NOT_FETCHED if rule.code == _NOT_FETCHED else "container_failed"
    return Retry(reason=reason, spent="content_rejected", fault=fault, drop_container=True)


def _apply(effect: Effect, fault: Fault, *, reason: str | None = None, unsend: bool = False) -> Result:
    """The result an effect asks for; `reason` where the call says more than its class."""
    reason = reason or effect.reason
    match effect.fate:
        case Fate.RETRY | Fate.RENEW:
            renew = effect.fate is Fate.RENEW
            return Retry(reason=reason, spent=effect.spent, fault=fault, drop_container=renew, unsend=unsend)
        case Fate.WAIT:
            return Deferred(reason=reason, delay_s=effect.delay_s, fault=fault, unsend=unsend)
        case Fate.HOLD:
            return Held(reason=reason, account_state=effect.account_state, fault=fault, unsend=unsend)
        case Fate.FAIL:
            return Failed(reason=reason, fault=fault, drop_container=True, unsend=unsend)


def draw_effects() -> str:
    """The table as Markdown, as docs/lifecycle.md shows it."""
    lines = ["| class | publication | `reason` | account | who else waits | to a person |", "|---|---|---|---|---|---|"]
    for error_class, effect in EFFECTS.items():
        reason = f"`{effect.reason}`"
        if effect.fate in {Fate.RETRY, Fate.RENEW}:
            reason += f", in the end `{effect.spent}`"
        account = f"`{effect.account_state}`" if effect.account_state else "as it was"
        cells = (f"`{error_class}`", effect.fate, reason, account, effect.budget, effect.says)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
