"""`schedule:process`: one occurrence of a schedule becomes a distribution, or a row that says why not."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from services.scheduler.break_schedules import Broken, alert_of, break_schedules
from services.scheduler.choose_post import ScheduleBrokenError, choose_post, take_post
from services.scheduler.end_occurrence import Outcome, PendingOccurrence, count, end_occurrence
from services.scheduler.spread_post import spread_post
from shared.alerts import AlertCode, raise_alerts, resolve_alerts
from shared.database import Connection, Pool, Row, run_in_transaction
from shared.jobs import Dead, Job, ProcessOccurrence
from shared.outbox import record_events
from shared.schedules import ON_TIME, OccurrenceReason

# By schedule_occurrences_pkey.
_LOCK = """
    SELECT id, user_id, schedule_id, local_date, slot, due_at, now() AS now
    FROM schedule_occurrences
    WHERE user_id = $1 AND id = $2 AND state = 'pending'
    FOR UPDATE
"""
# By schedules_user_id_id_key.
_LOCK_SCHEDULE = """
    SELECT id, user_id, name, account_id, group_id, post_id, post_queue_id, window_s, min_gap_s, max_lateness_s,
           paused_at, removed_at
    FROM schedules
    WHERE user_id = $1 AND id = $2
    FOR NO KEY UPDATE
"""
# By schedule_occurrences_page.
_HAS_NEWER = """
    SELECT EXISTS (
        SELECT 1 FROM schedule_occurrences
        WHERE user_id = $1 AND schedule_id = $2 AND due_at > $3 AND due_at <= now()
          AND state IN ('pending', 'distributed')
    )
"""


async def process_occurrence(pool: Pool, job: Job, payload: ProcessOccurrence, *, rescue_after_s: float) -> None:
    """Make the publications of an occurrence, unless that was done already.

    Raises:
        Transient: an account was removed meanwhile; the engine tries again.
    """
    del job
    work = partial(_process, payload=payload, rescue_after_s=rescue_after_s)
    outcome = await run_in_transaction(pool, work, idempotent=True)
    if outcome is not None:
        count(outcome.state, outcome.reason)


async def end_parked_occurrence(pool: Pool, _job: Job, payload: ProcessOccurrence, dead: Dead) -> None:
    """Its job is given up by the engine, and so is it; the schedule goes on."""
    if await run_in_transaction(pool, partial(_give_up, payload=payload, dead=dead), idempotent=True):
        count("failed", OccurrenceReason.GAVE_UP)


async def _process(tx: Connection, *, payload: ProcessOccurrence, rescue_after_s: float) -> Outcome | None:
    occurrence = await _lock(tx, payload)
    if occurrence is None:
        return None
    schedule = await _lock_schedule(tx, occurrence)
    try:
        outcome = await _decide(tx, occurrence, schedule, rescue_after_s=rescue_after_s)
    except ScheduleBrokenError as error:
        await break_schedules(tx, [_broken(schedule, str(error))])
        outcome = Outcome(state="failed", reason=error.reason)
    if outcome.state == "distributed":
        await resolve_alerts(tx, AlertCode.SCHEDULE_BROKEN, [occurrence.schedule_id], user_id=occurrence.user_id)
    await record_events(tx, [await end_occurrence(tx, occurrence, outcome)])
    return outcome


async def _decide(tx: Connection, occurrence: PendingOccurrence, schedule: Row, *, rescue_after_s: float) -> Outcome:
    if (reason := await _find_obstacle(tx, occurrence, schedule)) is not None:
        return Outcome(state="skipped", reason=reason)
    chosen = await choose_post(tx, schedule)
    if chosen is None:
        return Outcome(state="skipped", reason=OccurrenceReason.QUEUE_EMPTY)
    begin = occurrence.due_at if occurrence.now - occurrence.due_at <= ON_TIME else occurrence.now
    outcome = await spread_post(tx, schedule, chosen, begin=begin, rescue_after_s=rescue_after_s)
    if outcome.state == "distributed":
        await take_post(tx, chosen, user_id=occurrence.user_id)
    return outcome


async def _find_obstacle(tx: Connection, occurrence: PendingOccurrence, schedule: Row) -> OccurrenceReason | None:
    """Why nothing comes of it any more; None if nothing speaks against it."""
    if schedule["removed_at"] is not None:
        return OccurrenceReason.REMOVED
    if schedule["paused_at"] is not None:
        return OccurrenceReason.PAUSED
    late = occurrence.now - occurrence.due_at
    if late <= ON_TIME:
        return None
    # Jobs may have waited for days with the broker, and then come all at once.
    if await tx.fetchval(_HAS_NEWER, occurrence.user_id, occurrence.schedule_id, occurrence.due_at):
        return OccurrenceReason.SUPERSEDED
    most_s = schedule["max_lateness_s"]
    return OccurrenceReason.TOO_LATE if most_s is not None and late > timedelta(seconds=most_s) else None


async def _give_up(tx: Connection, *, payload: ProcessOccurrence, dead: Dead) -> bool:
    occurrence = await _lock(tx, payload)
    if occurrence is None:
        return False
    schedule = await _lock_schedule(tx, occurrence)
    if schedule["removed_at"] is None:
        text = f"what was due on {occurrence.local_date} at {occurrence.slot} was given up ({dead.reason})."
        await raise_alerts(tx, [alert_of(_broken(schedule, text))])
    outcome = Outcome(state="failed", reason=OccurrenceReason.GAVE_UP)
    await record_events(tx, [await end_occurrence(tx, occurrence, outcome)])
    return True


async def _lock(tx: Connection, payload: ProcessOccurrence) -> PendingOccurrence | None:
    row = await tx.fetchrow(_LOCK, payload.user_id, payload.occurrence_id)
    return None if row is None else PendingOccurrence(**row)


async def _lock_schedule(tx: Connection, occurrence: PendingOccurrence) -> Row:
    # It is there as long as its occurrence is.
    [schedule] = await tx.fetch(_LOCK_SCHEDULE, occurrence.user_id, occurrence.schedule_id)
    return schedule


def _broken(schedule: Row, error: str) -> Broken:
    return Broken(schedule_id=schedule["id"], user_id=schedule["user_id"], name=schedule["name"], error=error)
