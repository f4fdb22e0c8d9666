"""The job that moves a publication, and the outbox message that carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from shared.jobs import JobPriority, JobType, PublishPublication, get_job_options_by_type, new_job, to_outbox
from shared.outbox import Message

# Made once: thousands are asked for when a distribution goes on.
_OPTIONS = {
    priority: replace(get_job_options_by_type(JobType.POST_PUBLISH), priority=priority) for priority in JobPriority
}


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
    payload = PublishPublication(publication_id=publication_id, revision=revision, busy=busy)
    options = _OPTIONS[JobPriority(priority)]
    job = new_job(JobType.POST_PUBLISH, payload, subject=str(publication_id), options=options, suspect=suspect)
    return to_outbox(job, due_at=due_at)


def publish_messages(due: Sequence[tuple[UUID, datetime]], *, revision: int, priority: int) -> list[Message]:
    """As `publish_message`, for many that are due at times of their own; they are made from one pattern.

    Args:
        due: ids of the rows, and when the relay sends each.
        revision: of all rows.
        priority: of all rows.
    """
    if not due:
        return []
    pattern = publish_message(due[0][0], revision=revision, priority=priority, due_at=None)
    return [
        replace(
            pattern,
            subject=str(publication_id),
            payload=msgspec.json.encode(PublishPublication(publication_id=publication_id, revision=revision)),
            # The header that names the subject; the job's id is its own.
            headers={**pattern.headers, "x-job-id": str(uuid7()), "x-subject": str(publication_id)},
            due_at=due_at,
        )
        for publication_id, due_at in due
    ]
