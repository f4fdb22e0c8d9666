"""The job that moves a publication, and the outbox message that carries it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared.jobs import JobPriority, JobType, PublishPublication, get_job_options_by_type, new_job, to_outbox
from shared.outbox import Message


def publish_message(
    publication_id: UUID, *, revision: int, priority: int, due_at: datetime | None, suspect: bool = False, busy: int = 0
) -> Message:
    """The `post:publish` message of a publication.

    Args:
        publication_id: the row; also the subject, so that one message at most waits in the outbox.
        revision: of the row; a message with an older one is void.
        priority: 1 to 5, as stored in the row.
        due_at: when the relay sends it; None means now.
        suspect: its last worker died; this one may as well.
        busy: how often it found its account busy since it was due.
    """
    options = replace(get_job_options_by_type(JobType.POST_PUBLISH), priority=JobPriority(priority))
    payload = PublishPublication(publication_id=publication_id, revision=revision, busy=busy)
    job = new_job(JobType.POST_PUBLISH, payload, subject=str(publication_id), options=options, suspect=suspect)
    return to_outbox(job, due_at=due_at)
