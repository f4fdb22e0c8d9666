"""The one function that moves a publication along an arrow: row, attempt, event and outbox together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.database import Connection
from shared.outbox import Event, Message, record_events, replace
from shared.publications.change import Change
from shared.publications.halt import obey
from shared.publications.job import publish_message
from shared.publications.publication import Publication
from shared.publications.states import Owner, PublicationState, event_of, sources_of

# Between two batches the process serves others.
_BATCH = 500

# Looked up after a restore, it does not wait for its time: until then its list would grow, and a story leave it.
_DUE = "CASE WHEN container_id = '' AND NOT $11::bool THEN now() ELSE publish_at END"
_UPDATE = f"""
    UPDATE publications SET
        state = $4,
        reason = $5,
        error = coalesce($6::jsonb, CASE WHEN $4 = 'published' THEN NULL ELSE error END),
        lease_until = NULL,
        lease_owner = NULL,
        revision = revision + $7::int,
        attempt = CASE WHEN $7::int > 0 THEN 0 ELSE greatest(attempt - $8::int, 0) END,
        next_attempt_at = CASE WHEN $4 = 'scheduled'
                               THEN greatest({_DUE}, now() + $9::float8 * interval '1 second')
                               ELSE next_attempt_at END,
        rescue_at = CASE WHEN $4 = 'scheduled'
                         THEN greatest({_DUE}, now() + $9::float8 * interval '1 second')
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
        -- Found live after a restore, it was moved to an earlier time after the backup.
        publish_at = CASE WHEN $4 = 'published' AND container_id = '' THEN least(publish_at, now()) ELSE publish_at END,
        -- A wish waits only for the effect of a publish call that is open.
        halt = CASE WHEN $4 IN ('scheduled', 'held') AND $7::int = 0 AND step = 'publish_sent'
                         AND NOT $11::bool AND NOT ($15::bool AND publish_sends <= 1)
                    THEN halt END,
        updated_at = now()
    FROM unnest($1::uuid[]) AS moved (id)
    WHERE publications.id = moved.id AND user_id = $2 AND state = ANY($14::text[])
      AND ($3::int IS NULL OR epoch = $3::int)
    RETURNING publications.*, now() AS read_at
"""  # noqa: S608 - built of constants alone
_END_ATTEMPT = """
    UPDATE publication_attempts AS attempts
    SET ended_at = now(), outcome = $4, step = ended.step, error = $5::jsonb
    FROM unnest($1::uuid[], $2::int[], $3::text[]) AS ended (publication_id, epoch, step)
    WHERE attempts.publication_id = ended.publication_id AND attempts.epoch = ended.epoch
      AND attempts.ended_at IS NULL
"""


async def transition(
    tx: Connection, publication_id: UUID, change: Change, *, user_id: UUID, epoch: int | None = None
) -> Publication | None:
    """Move one publication.

    A worker that gives it back goes where a person wished meanwhile, if one did: see `obey`.

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
    change = await obey(tx, publication_id, change, user_id=user_id)
    moved = await _move(tx, [publication_id], change, user_id=user_id, epoch=epoch)
    return moved[0] if moved else None


async def transition_all(
    tx: Connection, publication_ids: Sequence[UUID], change: Change, *, user_id: UUID
) -> list[Publication]:
    """Move many publications along one arrow: a few statements, however many they are.

    Args:
        tx: the caller's transaction, which has locked the rows in the order of their ids.
        publication_ids: the rows; no worker holds one of them.
        change: where to, by whom, with what.
        user_id: their tenant.

    Returns:
        The rows as they are now, without those that were refused for their state.

    Raises:
        ValueError: no arrow of this owner leads there. A bug in the caller.
    """
    moved: list[Publication] = []
    for start in range(0, len(publication_ids), _BATCH):
        batch = publication_ids[start : start + _BATCH]
        moved += await _move(tx, batch, change, user_id=user_id, epoch=None)
    return moved


async def _move(
    tx: Connection, publication_ids: Sequence[UUID], change: Change, *, user_id: UUID, epoch: int | None
) -> list[Publication]:
    sources = sources_of(change.to, change.owner)
    if not sources:
        raise ValueError(f"no arrow of {change.owner} leads to {change.to}")
    fault = _storable(change.error)
    error = json.dumps(fault) if fault is not None else None
    rows = await tx.fetch(
        _UPDATE,
        publication_ids,
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
    publications = [Publication.from_row(row) for row in rows]
    if not publications:
        return []
    await tx.execute(
        _END_ATTEMPT,
        [publication.id for publication in publications],
        [publication.epoch for publication in publications],
        [publication.step for publication in publications],
        change.reason or change.to.value,
        error,
    )
    await record_events(tx, [event_for(publication, change.owner, fault) for publication in publications])
    if change.to is PublicationState.SCHEDULED and change.through_outbox:
        await replace(tx, [message_for(publication) for publication in publications])
    return publications


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
