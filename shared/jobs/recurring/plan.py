"""What a recurring job that is due fires: on time each due time, late what its misfire policy says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from shared.jobs.repeat import Misfire, RepeatRule

# A scheduler looks every second and is restarted within a few: what is later than this was slept through.
_LATE = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What becomes of one recurring job that is due."""

    dues: list[datetime]  # the due times that fire now
    next_due_at: datetime  # in the past if more is to be caught up
    missed: int  # due times that were missed; 1 for all of them where they are not made up for one by one


def plan_firings(rule: RepeatRule, *, due: datetime, now: datetime, most: int) -> Plan:
    """Decide what fires. A due time is missed if it is over a minute late, or if the one after it has come as well.

    Args:
        rule: of the job.
        due: its due time; not later than now.
        now: by the database's clock.
        most: firings at a time where missed due times are made up for one by one.

    Raises:
        ValueError: the rule cannot be computed. Pause the job, tell a person.
    """
    if rule.misfire is Misfire.CATCH_UP:
        return _catch_up(rule, due=due, now=now, most=most)
    following = rule.next_after(due, due)
    if not _missed(due, following, now):
        return Plan(dues=[due], next_due_at=following, missed=0)
    # Of many the newest may have come just now, and so not be missed: a short rhythm fires however late the sweep is.
    newest = due if rule.misfire is Misfire.ONCE else rule.next_after(due, now - _LATE)
    return Plan(dues=[newest] if newest <= now else [], next_due_at=rule.next_after(due, now), missed=1)


def _catch_up(rule: RepeatRule, *, due: datetime, now: datetime, most: int) -> Plan:
    times = [due]
    while times[-1] <= now and len(times) <= most:
        times.append(rule.next_after(times[-1], times[-1]))
    missed = sum(_missed(each, following, now) for each, following in pairwise(times))
    return Plan(dues=times[:-1], next_due_at=times[-1], missed=missed)


def _missed(due: datetime, following: datetime, now: datetime) -> bool:
    return due < now - _LATE or following <= now
