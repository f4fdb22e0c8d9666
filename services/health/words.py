"""What scores say to people: each reason with its text, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.health.gates import Gate
from shared.instagram import ErrorClass


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why the score is not 100, and what to do about it."""

    code: str
    text: str
    advice: str


CONNECT = "Ask the owner to connect the account again."
_GATES: Mapping[Gate, tuple[str, str]] = MappingProxyType(
    {
        Gate.TOKEN_DEAD: ("The access token is over or was revoked.", CONNECT),
        Gate.CHECKPOINT: (
            "The platform wants the owner to sign in.",
            "Ask the owner to open the Instagram app, clear what it asks for and connect the account again.",
        ),
        Gate.PUBLISH_SCOPE_LOST: (
            "The permission to publish is missing.",
            "Ask the owner to connect the account again and to allow publishing.",
        ),
        Gate.RESTRICTED: (
            "The platform restricts the account.",
            "Ask the owner to open the Instagram app and clear what it asks for, then resume the account.",
        ),
        Gate.POLICY_BLOCK: (
            "The platform blocked the account for its policy, and nothing has been published since.",
            "Ask the owner to read the notice in the Instagram app; publish one post by hand before the rest goes on.",
        ),
        Gate.SPAM_SUSPECTED: (
            "The platform took a post for spam within the last 24 hours.",
            "Let the account rest for some days, and vary what it publishes.",
        ),
        Gate.RENEWAL_FAILING: (
            "The access token ends within three days, and its renewal failed twice in a row.",
            "Ask the owner to connect the account again before it ends.",
        ),
        Gate.FAILURES_IN_A_ROW: (
            "Nothing has been published since three failures of the account's own.",
            "Read the errors of these publications and act on them, then retry one.",
        ),
        Gate.UNRESOLVED: (
            "The outcome of a publication has been unknown for over an hour.",
            "Look at the account in the Instagram app, then say whether the post is live.",
        ),
    }
)
#: What to do about refusals of each class that counts.
ERROR_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        ErrorClass.THROTTLED.value: "Spread its posts over more hours: calls go on by themselves.",
        ErrorClass.FIX_CONTENT.value: "Read the errors of its latest publications and change the posts as they advise.",
        ErrorClass.REAUTH.value: CONNECT,
        ErrorClass.RESTRICTED.value: "Ask the owner to open the Instagram app and clear what it asks for.",
        ErrorClass.SPAM_SUSPECTED.value: "Let the account rest for some days, and vary what it publishes.",
    }
)


def gate_reason(gate: Gate) -> Reason:
    """Why a gate is closed."""
    text, advice = _GATES[gate]
    return Reason(code=gate.value, text=text, advice=advice)
