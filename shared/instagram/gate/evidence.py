"""What tells an outage from the bad luck of one account: the exchanges of the last minute, across accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

#: One account's calls can all fail for a reason of its own, and two by chance; three at once are the platform.
ACCOUNTS_LEAST = 3
#: Hiccups come with every load. A platform at which every other call fails is of no use to anybody.
FAILED_SHARE_LEAST = 0.5
#: Long enough to see three accounts where one posts every few seconds, short enough that an old hiccup counts no more.
WINDOW_S = 60.0

_BUCKETS = 3
BUCKET_S = WINDOW_S / _BUCKETS
# Whom else is of no matter once there are so many.
_ACCOUNTS_KEPT = 1_000


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The exchanges of the last minute."""

    accounts: int  # different ones that failed
    failed: int
    answered: int


@dataclass(kw_only=True)
class Tally:
    """Exchanges counted together."""

    answered: int = 0
    failed: int = 0
    failing: set[str] = field(default_factory=set)  # the accounts

    def note(self, ig_user_id: str, *, failed: bool) -> None:
        """Count one exchange."""
        if not failed:
            self.answered += 1
            return
        self.failed += 1
        if len(self.failing) < _ACCOUNTS_KEPT:
            self.failing.add(ig_user_id)


def is_outage(evidence: Evidence, *, accounts_least: int) -> bool:
    """Whether that is the platform's failure and not that of some accounts."""
    if evidence.accounts < accounts_least:
        return False
    return evidence.failed >= FAILED_SHARE_LEAST * (evidence.failed + evidence.answered)


class Window:
    """The last minute as this process saw it, and what of it the others have not been told."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """Begin empty. `clock` gives monotonic seconds."""
        self._clock = clock
        self._buckets: dict[int, Tally] = {}
        self._untold = Tally()

    def note(self, ig_user_id: str, *, failed: bool) -> None:
        """Count one exchange."""
        now = int(self._clock() // BUCKET_S)
        for old in [number for number in self._buckets if number <= now - _BUCKETS]:
            del self._buckets[old]
        self._buckets.setdefault(now, Tally()).note(ig_user_id, failed=failed)
        self._untold.note(ig_user_id, failed=failed)

    def evidence(self) -> Evidence:
        """What this process alone has seen."""
        oldest = int(self._clock() // BUCKET_S) - _BUCKETS
        tallies = [tally for number, tally in self._buckets.items() if number > oldest]
        return Evidence(
            accounts=len(set().union(*(tally.failing for tally in tallies))),
            failed=sum(tally.failed for tally in tallies),
            answered=sum(tally.answered for tally in tallies),
        )

    def take_untold(self) -> Tally:
        """What the other processes must be told."""
        untold, self._untold = self._untold, Tally()
        return untold

    def clear(self) -> None:
        """What was seen is over."""
        self._buckets.clear()
        self._untold = Tally()


def bucket_keys(number: int) -> tuple[str, str, str]:
    """Where a bucket's exchanges are counted for all: answered, failed, and the accounts that failed."""
    return f"ig:answered:{number}", f"ig:failed:{number}", f"ig:failing:{number}"


def window_keys(wall_s: float) -> list[str]:
    """All keys of the buckets that the last minute lies in, the present bucket's first."""
    now = int(wall_s // BUCKET_S)
    return [key for number in range(now, now - _BUCKETS, -1) for key in bucket_keys(number)]
