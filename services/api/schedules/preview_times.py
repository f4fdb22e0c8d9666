"""Due times to come, computed from the rule alone: nothing is read or written for them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from itertools import islice

from services.api.schedules.check_schedule import rule_problem
from services.api.schedules.contract import Preview, PreviewedTime
from shared.schedules import Occurrence, RuleError, ScheduleRule, load_zone, occurrences


async def preview_times(rule: ScheduleRule, *, now: datetime, count: int) -> Preview:
    """The first due times after now, those that a policy skips included; whether the schedule is paused is the same.

    Raises:
        ProblemError: the rule cannot be computed any more (`validation_failed`): its zone is gone, say.
    """
    try:
        # A rule that is due once in years takes long enough that others would wait.
        return await asyncio.to_thread(_preview, rule, now=now, count=count)
    except RuleError as error:
        raise rule_problem(error) from error


def _preview(rule: ScheduleRule, *, now: datetime, count: int) -> Preview:
    zone = load_zone(rule.timezone)

    def shown(occurrence: Occurrence) -> PreviewedTime:
        return PreviewedTime(
            local_date=occurrence.local_date,
            slot=occurrence.slot,
            local=occurrence.due_at.astimezone(zone),
            due_at=occurrence.due_at,
            skipped=occurrence.skipped is not None,
            reason=occurrence.skipped,
        )

    times = [shown(occurrence) for occurrence in islice(occurrences(rule, after=now), count)]
    return Preview(timezone=rule.timezone, as_of=now, times=times)
