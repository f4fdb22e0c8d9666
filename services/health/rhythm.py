"""When an account is looked at again, and when the platform is asked for it: pure functions of how it stands."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shared.accounts import AccountState

#: A score fades by itself: it is made anew at least so often, without a call.
JUDGE_S = 3_600.0
#: A first refusal of a token is asked for again after so long.
CONFIRM_S = 75.0
#: The first wait after a look that brought no answer; doubled each time, up to the usual rhythm.
UNANSWERED_FIRST_S = 300.0
#: Accounts that publish nothing by their owner's wish.
RESTING_S = 86_400.0
#: Accounts that wait for their owner.
WAITING_S = 3_600.0
#: Problem accounts, by the band of their score; every other band has the usual rhythm.
BAND_S: Mapping[str, float] = MappingProxyType(
    {"critical": 900.0, "at_risk": 900.0, "degraded": 1_800.0, "watch": 3_600.0}
)

_RESTING = frozenset({AccountState.PAUSED, AccountState.DISCONNECTED})
_WAITING = frozenset({AccountState.NEEDS_REAUTH, AccountState.RESTRICTED})
_DOUBLINGS_MOST = 20
_JITTER = 0.1
_SCATTER = 0.5


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How an account stands after a look."""

    state: AccountState
    band: str | None  # None: never judged
    unanswered: int  # looks in a row that brought no answer
    unconfirmed: bool  # its token was refused just now, for the first time


def rhythm_s(standing: Standing, *, usual_s: float) -> float:
    """Seconds until the platform is asked for the account again, before jitter.

    Args:
        standing: how the account stands.
        usual_s: the rhythm of an account without a problem; no other is slower, but that of accounts at rest.
    """
    if standing.state in _RESTING:
        return RESTING_S
    if standing.unanswered:
        return min(UNANSWERED_FIRST_S * 2.0 ** min(standing.unanswered - 1, _DOUBLINGS_MOST), usual_s)
    if standing.unconfirmed:
        return CONFIRM_S
    if standing.state in _WAITING:
        return min(WAITING_S, usual_s)
    return min(BAND_S.get(standing.band or "", usual_s), usual_s)


def jittered_s(seconds: float, *, in_step: bool, rng: random.Random) -> float:
    """A rhythm as one account keeps it this time.

    Accounts that were added together, or came due while nobody looked, would come together again and again: one that is
    out of step is scattered over a whole rhythm.
    """
    share = _JITTER if in_step else _SCATTER
    return seconds * rng.uniform(1 - share, 1 + share)


def is_in_step(late_s: float, rhythm_s: float, *, first: bool) -> bool:
    """Whether a look came when it was due. `first`: the account was never asked for before."""
    return not first and late_s <= _JITTER * rhythm_s
