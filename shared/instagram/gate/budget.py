"""The budget of calls: who waits, and how long, after what the platform said of its limits.

The platform counts per account and for the whole app, and lengthens the block of whoever calls while it refuses: so
nobody calls before the end of a wait, and near a limit only some do.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from shared.instagram.error_rules import ErrorClass
from shared.instagram.errors import GraphError, InstagramError
from shared.instagram.gate.memory import Memory
from shared.instagram.gate.wait import Wait
from shared.instagram.usage import Usage


class Scope(StrEnum):
    """Whom a limit is of."""

    APP = "app"
    ACCOUNT = "account"


#: Whom a refusal for too many calls holds. Any other, such as HTTP 429 without a code, holds its account alone.
THROTTLE_SCOPES: Mapping[int, Scope] = MappingProxyType(
    {
        4: Scope.APP,
        17: Scope.ACCOUNT,
        32: Scope.ACCOUNT,
        341: Scope.APP,
        613: Scope.ACCOUNT,
        80001: Scope.ACCOUNT,
        80002: Scope.ACCOUNT,
    }
)

#: From this share of a limit on some callers wait; at 100 % all do.
PACE_FROM_PERCENT = 90
_FULL_PERCENT = 100
#: How long a limit at 100 % is left alone if the platform does not say, and what the waits near it grow to.
FULL_WAIT_S = 300.0
#: The waits after a refusal that names no time: doubled each time it is repeated, up to an hour.
THROTTLE_FIRST_S = 120.0
THROTTLE_MOST_S = 3_600.0
# A refusal so long after the last wait's end is a new matter.
_STRIKES_S = 3_600.0
# The platform's longest window.
_WAIT_MOST_S = 86_400.0
# A share is old news after this: the next caller learns how it stands.
_USAGE_S = 300.0
#: Those who wait for one end come back spread over a quarter of the wait, but over this many seconds at least.
SPREAD_LEAST_S: Mapping[Scope, float] = MappingProxyType({Scope.APP: 60.0, Scope.ACCOUNT: 5.0})
_SPREAD_SHARE = 0.25


class Budget:
    """Waits and shares by scope, kept in the memory that all processes share."""

    def __init__(self, memory: Memory, *, rng: random.Random) -> None:
        """Keep what is learned in `memory`; `rng` gives the jitter."""
        self._memory = memory
        self._rng = rng

    def keys(self, ig_user_id: str) -> list[str]:
        """What must be known to answer for an account."""
        names = (_name(scope, ig_user_id) for scope in Scope)
        return [make(name) for name in names for make in (_block, _strikes, _usage)]

    def note(self, ig_user_id: str, *, usage: Usage | None, error: InstagramError | None) -> None:
        """Learn from an exchange."""
        usage = usage or Usage()
        scope = throttled_scope(error)
        if scope is not None:
            # The time that the platform tells is the account's; of the app's limit it tells none.
            self._strike(_name(scope, ig_user_id), usage.regain_s if scope is Scope.ACCOUNT else None)
        self._measure(_name(Scope.APP, ig_user_id), usage.app_percent, None)
        self._measure(_name(Scope.ACCOUNT, ig_user_id), usage.account_percent, usage.regain_s)

    def hold_app(self, seconds: float) -> None:
        """Nobody calls for so long, or for as long as the app is held already."""
        self._block(Scope.APP.value, seconds)

    def blocked(self, ig_user_id: str) -> Wait | None:
        """The wait of a limit that is used up."""
        left_s = {scope: self._memory.left_s(_block(_name(scope, ig_user_id))) for scope in Scope}
        scope = max(left_s, key=lambda scope: left_s[scope])
        if not left_s[scope]:
            return None
        spread_s = max(left_s[scope] * _SPREAD_SHARE, SPREAD_LEAST_S[scope])
        return Wait(reason="throttled", delay_s=left_s[scope] + self._rng.uniform(0.0, spread_s))

    def wait(self, ig_user_id: str) -> Wait | None:
        """The wait of a limit that is used up, or nearly so.

        Near a limit it is a matter of chance: the fuller, the fewer go, and those that go bring the news.
        """
        percents = [self._memory.get(_usage(_name(scope, ig_user_id))) or 0 for scope in Scope]
        strain = (max(percents) - PACE_FROM_PERCENT + 1) / (_FULL_PERCENT - PACE_FROM_PERCENT + 1)
        blocked = self.blocked(ig_user_id)
        if blocked or self._rng.random() >= strain:
            return blocked
        return Wait(reason="throttled", delay_s=FULL_WAIT_S * strain * self._rng.uniform(0.5, 1.5))

    def _strike(self, name: str, told_s: float | None) -> None:
        if self._memory.left_s(_block(name)):
            # This call was under way when the wait began: it says nothing new, unless it says how long.
            self._block(name, told_s or 0.0)
            return
        strikes = (self._memory.get(_strikes(name)) or 0) + 1
        wait_s = told_s or min(THROTTLE_FIRST_S * 2.0 ** min(strikes - 1, 10), THROTTLE_MOST_S)
        self._memory.put(_strikes(name), strikes, seconds=wait_s + _STRIKES_S)
        self._block(name, wait_s)

    def _measure(self, name: str, percent: int | None, regain_s: float | None) -> None:
        if regain_s or (percent or 0) >= _FULL_PERCENT:
            self._block(name, regain_s or FULL_WAIT_S)
        elif percent is not None and percent >= PACE_FROM_PERCENT:
            self._memory.put(_usage(name), percent, seconds=_USAGE_S)
        elif percent is not None and self._memory.get(_usage(name)) is not None:
            self._memory.drop(_usage(name))

    def _block(self, name: str, seconds: float) -> None:
        seconds = min(seconds, _WAIT_MOST_S)
        if seconds > self._memory.left_s(_block(name)):
            self._memory.put(_block(name), 1, seconds=seconds)


def throttled_scope(error: InstagramError | None) -> Scope | None:
    """Whom the platform refuses for too many calls; None if that is not what it said."""
    if not isinstance(error, GraphError) or error.error_class is not ErrorClass.THROTTLED:
        return None
    return THROTTLE_SCOPES.get(error.code or 0, Scope.ACCOUNT)


def _name(scope: Scope, ig_user_id: str) -> str:
    return scope.value if scope is Scope.APP else f"{scope.value}:{ig_user_id}"


def _block(name: str) -> str:
    return f"ig:block:{name}"


def _strikes(name: str) -> str:
    return f"ig:strikes:{name}"


def _usage(name: str) -> str:
    return f"ig:usage:{name}"
