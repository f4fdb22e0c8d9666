"""When an incident begins, pauses the app once more, and is over: the rules, without a database."""

from __future__ import annotations

from enum import Enum, auto

from shared.instagram import ErrorClass

#: Refusals that can be the app's trouble. Content is its author's, a quota is the account's own.
CLASSES = frozenset(
    {
        ErrorClass.TRANSIENT,
        ErrorClass.THROTTLED,
        ErrorClass.REAUTH,
        ErrorClass.RESTRICTED,
        ErrorClass.SPAM_SUSPECTED,
        ErrorClass.UNKNOWN,
    }
)
#: Of these, what hits one post alone, on however many accounts, is that post's.
OF_A_POST = frozenset({ErrorClass.SPAM_SUSPECTED})
#: As many accounts at least, and as large a share of those that could be hit.
ACCOUNTS_LEAST = 3
SHARE_LEAST = 0.2
WINDOW_S = 900
_FIRST_PAUSE_S = 300
_LONGEST_PAUSE_S = 3_600
# So long without such a share it is over, even if nothing succeeded: nobody tried, or too few to tell.
_QUIET_S = 3_600


class Step(Enum):
    """What becomes of an open incident."""

    WAIT = auto()
    PAUSE = auto()  # the app once more, for twice as long
    CLOSE = auto()


def is_hit(accounts: int, among: int) -> bool:
    """Whether so many accounts with the same error, among those that it could have hit, are the app's trouble."""
    return accounts >= ACCOUNTS_LEAST and accounts >= SHARE_LEAST * among


def pause_s(pauses: int) -> int:
    """How long the app rests for the so manyth time, from 1 on."""
    return min(_FIRST_PAUSE_S * (1 << min(pauses - 1, 10)), _LONGEST_PAUSE_S)


def next_step(*, since_pause_s: float, hit: bool, succeeded: bool) -> Step:
    """What becomes of an open incident.

    Args:
        since_pause_s: seconds since its last pause ended; below 0 while it lasts.
        hit: since then, and within the window, too many accounts got the same error.
        succeeded: something of it succeeded.
    """
    if since_pause_s < 0:
        return Step.WAIT
    if hit:
        return Step.PAUSE
    over = since_pause_s >= _QUIET_S or (since_pause_s >= WINDOW_S and succeeded)
    return Step.CLOSE if over else Step.WAIT
