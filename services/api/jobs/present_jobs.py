"""Jobs as operators see them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from services.api.jobs import contract
from shared.cleanup import Old
from shared.database import Row
from shared.jobs import DeadCount, DeadJob, JobStats, RecurringState, Redriven
from shared.outbox import Backlog


def present_stats(types: Mapping[str, JobStats], backlog: Backlog, dead: list[DeadCount]) -> contract.Stats:
    """What was done, what is due, and what died."""
    return contract.Stats(
        types={name: contract.Counts(**counts) for name, counts in types.items()},
        outbox=contract.Outbox(due=backlog.due, oldest_s=backlog.oldest_s),
        dead=[msgspec.convert(count, contract.Deaths, from_attributes=True) for count in dead],
    )


def present_dead(row: Row) -> contract.DeadJob:
    """A dead job, as one of many."""
    return contract.DeadJob(**_summary(DeadJob.from_row(row)))


def present_dead_in_full(job: DeadJob) -> contract.DeadJobInFull:
    """A dead job with all that it carried."""
    payload, payload_base64 = _payload(job.payload)
    return contract.DeadJobInFull(
        **_summary(job),
        failures=[contract.FailedRun(attempt=run.attempt, at=run.at, error=run.error) for run in job.failures],
        headers=dict(job.headers),
        payload=payload,
        payload_base64=payload_base64,
    )


def present_redriven(report: Redriven, *, limit: int, dry_run: bool) -> contract.Redriven:
    """What came of sending dead jobs back."""
    refused = [contract.RefusedJob(id=one.id, reason=f"It stays: {one.reason}.") for one in report.refused]
    more = report.count + len(refused) >= limit
    return contract.Redriven(redriven=report.count, dry_run=dry_run, refused=refused, more=more)


def present_cleanup(found: Sequence[Old], *, dry_run: bool) -> contract.Cleanup:
    """What is old enough to go."""
    policies = [
        contract.OldRows(
            table=old.policy.name,
            kept_days=old.policy.days,
            fate=old.policy.fate,
            rows=old.rows,
            rows_are_exact=old.is_exact,
        )
        for old in found
    ]
    return contract.Cleanup(dry_run=dry_run, policies=policies)


def present_recurring(row: Row) -> contract.RecurringJob:
    """A recurring job."""
    state = RecurringState.from_row(row)
    return contract.RecurringJob(
        name=state.name,
        type=state.type,
        every_ms=state.rule.every_ms,
        cron=state.rule.cron,
        zone=state.rule.zone,
        misfire=state.rule.misfire.value,
        next_due_at=state.next_due_at,
        last_fired_at=state.last_fired_at,
        paused_at=state.paused_at,
        error=state.error,
    )


def _summary(job: DeadJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "type": job.type,
        "subject": job.subject,
        "reason": job.reason,
        "error": job.error,
        "attempt": job.attempt,
        "priority": job.priority.name.lower(),
        "died_at": job.died_at,
    }


def _payload(content: bytes) -> tuple[Any, str | None]:
    try:
        return msgspec.json.decode(content), None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None, base64.b64encode(content).decode()
