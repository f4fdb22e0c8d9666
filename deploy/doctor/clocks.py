"""Two clocks that should show the same time."""

from __future__ import annotations

from datetime import datetime

from deploy.doctor.finding import Verdict, failed, ok


def judge_clock(theirs: datetime, *, before: datetime, after: datetime, whose: str, most_s: float) -> Verdict:
    """What another clock's time means for this machine's.

    Args:
        theirs: read between `before` and `after`, which are this machine's.
        before: when it was asked for.
        after: when it was there.
        whose: whose clock it is, such as `PostgreSQL's`.
        most_s: seconds they may differ by.
    """
    ahead_s = (before - theirs).total_seconds() if theirs < before else -max((theirs - after).total_seconds(), 0.0)
    if abs(ahead_s) <= most_s:
        return ok(f"This machine's clock and {whose} agree.")
    side = "ahead of" if ahead_s > 0 else "behind"
    return failed(
        f"This machine's clock is {abs(ahead_s):,.0f} s {side} {whose}.",
        do="Have both machines set by NTP (timedatectl set-ntp true); times, leases and signed addresses rely on it.",
    )
