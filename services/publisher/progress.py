"""The marks a worker leaves on the row before each call: with them, whoever comes next knows where to go on."""

from __future__ import annotations

from services.publisher.workbench import Workbench
from shared.database import Row
from shared.errors import InstaDistroError
from shared.publications import Publication

_CREATED = """
    UPDATE publications
    SET step = 'container_created', container_id = $3, container_created_at = now(), updated_at = now()
    WHERE id = $1 AND epoch = $2 AND state = 'publishing'
    RETURNING *, now() AS read_at
"""
# All slots are written, so that they are there from the first on; two marks at a time wait for each other.
_CHILD = """
    UPDATE publications
    SET step = 'children_created',
        child_container_ids = ARRAY(
            SELECT CASE WHEN position = $4::int THEN $5::text ELSE child_container_ids[position] END
            FROM generate_series(1, $3::int) AS position
            ORDER BY position
        ),
        container_created_at = coalesce(container_created_at, now()),
        updated_at = now()
    WHERE id = $1 AND epoch = $2 AND state = 'publishing'
    RETURNING *, now() AS read_at
"""
# The lease is renewed by the same statement, so that the call that follows begins with all of it. What was sent passes
# the claim to be looked up, whatever the account's health is; a second call is another matter.
_SENT = """
    UPDATE publications
    SET step = 'publish_sent', publish_sent_at = now(), publish_sends = publish_sends + 1,
        lease_until = now() + $3::float8 * interval '1 second', updated_at = now()
    WHERE id = $1 AND epoch = $2 AND state = 'publishing' AND halt IS NULL
      AND (step IS DISTINCT FROM 'publish_sent' OR NOT EXISTS (
          SELECT FROM accounts
          WHERE accounts.user_id = publications.user_id AND accounts.id = publications.account_id
            AND accounts.caution = 'held' AND NOT coalesce(accounts.caution_waived_until > now(), false)
      ))
    RETURNING *, now() AS read_at
"""
_IS_OURS = "SELECT 1 FROM publications WHERE id = $1 AND epoch = $2 AND state = 'publishing'"


class ClaimLostError(InstaDistroError):
    """Another worker has taken over. Stop at once and write nothing."""


class HaltedError(InstaDistroError):
    """It is not to be published before a person or its account's health allows it. Give it back without the call."""


async def mark_child(
    work: Workbench, publication: Publication, container_id: str | None, *, position: int, count: int
) -> Publication:
    """One item of a carousel has this container, or none any more. Raises ClaimLostError.

    Args:
        work: servers and timings.
        publication: the row; its epoch guards the write.
        container_id: what the platform answered; None where that container is of no more use.
        position: of the item, from 0.
        count: of all items.
    """
    row = await work.pool.fetchrow(_CHILD, publication.id, publication.epoch, count, position + 1, container_id)
    return _still_ours(row)


async def mark_created(work: Workbench, publication: Publication, container_id: str) -> Publication:
    """The container exists. Raises ClaimLostError."""
    return _still_ours(await work.pool.fetchrow(_CREATED, publication.id, publication.epoch, container_id))


async def mark_publish_sent(work: Workbench, publication: Publication) -> Publication:
    """The irreversible call is about to be made. Raises ClaimLostError or HaltedError: then do not make it."""
    row = await work.pool.fetchrow(_SENT, publication.id, publication.epoch, work.lease_s)
    if row is None and await work.pool.fetchval(_IS_OURS, publication.id, publication.epoch) is not None:
        raise HaltedError("the publication was stopped before its publish call")
    return _still_ours(row)


def _still_ours(row: Row | None) -> Publication:
    if row is None:
        raise ClaimLostError("another worker has taken the publication over")
    return Publication.from_row(row)
