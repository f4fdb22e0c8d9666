"""The one function that moves a publication along an arrow: row, attempt, event and outbox together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.database import Connection
from shared.outbox import Event, Message, record_events, replace
from shared.publications.job import publish_message
from shared.publications.publication import Publication
from shared.publications.states import Owner, PublicationState, event_of, sources_of

_UPDATE = """
    UPDATE publications SET
        state = $4,
        reason = $5,
        error = coalesce($6::jsonb, CASE WHEN $4 = 'published' THEN NULL ELSE error END),
        lease_until = NULL,
        lease_owner = NULL,
        revision = revision + $7::int,
        attempt = CASE WHEN $7::int > 0 THEN 0 ELSE greatest(attempt - $8::int, 0) END,
        next_attempt_at = CASE WHEN $4 = 'scheduled'
                               THEN greatest(publish_at, now() + $9::float8 * interval '1 second')
                               ELSE next_attempt_at END,
        rescue_at = CASE WHEN $4 = 'scheduled'
                         THEN greatest(publish_at, now() + $9::float8 * interval '1 second')
                              + $10::float8 * interval '1 second'
                         WHEN $4 = 'outcome_unknown' THEN now() + interval '10 minutes'
                         ELSE rescue_at END,
        rescues = 0,
        step = CASE WHEN $11::bool THEN NULL WHEN $15::bool AND publish_sends <= 1 THEN 'container_created'
                    ELSE step END,
        container_id = CASE WHEN $11::bool THEN NULL ELSE container_id END,
        child_container_ids = CASE WHEN $11::bool THEN NULL ELSE child_container_ids END,
        container_created_at = CASE WHEN $11::bool THEN NULL ELSE container_created_at END,
        publish_sent_at = CASE WHEN $11::bool OR ($15::bool AND publish_sends <= 1) THEN NULL
                               ELSE publish_sent_at END,
        publish_sends = CASE WHEN $11::bool THEN 0 WHEN $15::bool THEN publish_sends - 1 ELSE publish_sends END,
        media_id = coalesce($12, media_id),
        permalink = coalesce($13, permalink),
        published_at = CASE WHEN $4 = 'published' THEN now() ELSE published_at END,
        updated_at = now()
    WHERE id = $1 AND user_id = $2 AND state = ANY($14::text[]) AND ($3::int IS NULL OR epoch = $3::int)
    RETURNING *, now() AS read_at
"""
_END_ATTEMPT = """
    UPDATE publication_attempts
    SET ended_at = now(), outcome = $3, step = $4, error = $5::jsonb
    WHERE publication_id = $1 AND epoch = $2 AND ended_at IS NULL
"""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Where a publication goes, and what is written with it."""

    to: PublicationState
    owner: Owner
    reason: str | None = None  # a stable word: `quota`, `reauth_required`, `exhausted`, ...
    error: Mapping[str, Any] | None = None  # what the platform or the system said
    delay_s: float = 0.0  # to `scheduled` only: how long until it may be claimed
    rescue_after_s: float = 60.0  # to `scheduled` only: how long past due until it counts as forgotten
    through_outbox: bool = False  # to `scheduled` only: also write the message that brings it back
    give_back: int = 0  # so many tries, the last included, were not the publication's own failures: they do not count
    new_revision: bool = False  # a person's edit or retry: attempts begin again, older messages are void
    drop_container: bool = False  # the container is of no more use
    unsend: bool = False  # the last publish call certainly had no effect; an earlier one stays on the row's record
    media_id: str | None = None
    permalink: str | None = None


async def transition(
    tx: Connection, publication_id: UUID, change: Change, *, user_id: UUID, epoch: int | None = None
) -> Publication | None:
    """Move one publication.

    Args:
        tx: the caller's transaction.
        publication_id: the row.
        change: where to, by whom, with what.
        user_id: the row's tenant.
        epoch: required of whoever holds a claim: the write is refused if another worker claimed since.

    Returns:
        The row as it is now; None if it was refused (other state, other epoch, other tenant): nothing was written.

    Raises:
        ValueError: no arrow of this owner leads there. A bug in the caller.
    """
    sources = sources_of(change.to, change.owner)
    if not sources:
        raise ValueError(f"no arrow of {change.owner} leads to {change.to}")
    fault = _storable(change.error)
    error = json.dumps(fault) if fault is not None else None
    row = await tx.fetchrow(
        _UPDATE,
        publication_id,
        user_id,
        epoch,
        change.to.value,
        change.reason,
        error,
        int(change.new_revision),
        change.give_back,
        change.delay_s,
        change.rescue_after_s,
        change.drop_container,
        _storable(change.media_id),
        _storable(change.permalink),
        [source.value for source in sources],
        change.unsend,
    )
    if row is None:
        return None
    publication = Publication.from_row(row)
    await tx.execute(
        _END_ATTEMPT, publication.id, publication.epoch, change.reason or change.to.value, publication.step, error
    )
    await record_events(tx, [event_for(publication, change.owner, fault)])
    if change.to is PublicationState.SCHEDULED and change.through_outbox:
        await replace(tx, [message_for(publication)])
    return publication


def event_for(publication: Publication, owner: Owner, fault: Any) -> Event:
    """The event that tells where a publication stands now."""
    payload = {
        "post_id": str(publication.post_id),
        "account_id": str(publication.account_id),
        "distribution_id": str(publication.distribution_id) if publication.distribution_id else None,
        "state": publication.state.value,
        "reason": publication.reason,
        "media_id": publication.media_id,
        "permalink": publication.permalink,
        "error": fault,
    }
    return Event(
        user_id=publication.user_id,
        type=event_of(publication.state, owner),
        subject=publication.id,
        payload=payload,
    )


def message_for(publication: Publication) -> Message:
    """The message that brings a scheduled publication back when it is due."""
    return publish_message(
        publication.id,
        revision=publication.revision,
        priority=publication.priority,
        due_at=publication.next_attempt_at,
    )


def _storable(value: Any) -> Any:
    """What PostgreSQL can hold of foreign words: no NUL, no half characters. A result must never fail to be written."""
    if isinstance(value, str):
        return "".join(char for char in value if char != "\0" and not 0xD800 <= ord(char) <= 0xDFFF)  # noqa: PLR2004
    if isinstance(value, Mapping):
        return {key: _storable(item) for key, item in value.items()}
    return value
