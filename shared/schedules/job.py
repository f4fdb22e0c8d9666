"""The job that makes the publications of an occurrence."""

from __future__ import annotations

from uuid import UUID

from shared.jobs import JobType, ProcessOccurrence, new_job, to_outbox
from shared.outbox import Message


def occurrence_job(occurrence_id: UUID, *, user_id: UUID) -> Message:
    """What the outbox sends."""
    payload = ProcessOccurrence(user_id=user_id, occurrence_id=occurrence_id)
    return to_outbox(new_job(JobType.SCHEDULE_PROCESS, payload, subject=str(occurrence_id)))
