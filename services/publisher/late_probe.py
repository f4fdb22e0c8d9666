"""Outcomes that nobody knows are looked up again, ever more rarely: what is found later need not wait for a person."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import structlog

from services.publisher.content import Content, ContentGoneError, read_content
from services.publisher.look_up import look_up
from services.publisher.results import Deferred, Published, Result, Retry
from services.publisher.verify import ResendAllowed
from services.publisher.workbench import Workbench
from shared import metrics
from shared.publications import Change, Owner, Publication, PublicationState, count_ended, transition
from shared.security import TokenUnreadableError

log = structlog.get_logger()
_BATCH = 10

# `transition` plans the first look; each look plans the next before it begins. After the fourth, a day and a half after
# the outcome was given up, only a person looks.
_TAKE = """
    UPDATE publications
    SET rescues = rescues + 1,
        rescue_at = CASE rescues WHEN 0 THEN now() + interval '1 hour'
                                 WHEN 1 THEN now() + interval '6 hours'
                                 WHEN 2 THEN now() + interval '24 hours'
                                 ELSE 'infinity' END
    WHERE id IN (
        SELECT id FROM publications
        WHERE state = 'outcome_unknown' AND rescue_at <= now()
        ORDER BY rescue_at
        LIMIT $1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING *, now() AS read_at
"""
_PUT_BACK = """
    UPDATE publications
    SET rescues = greatest(rescues - 1, 0), rescue_at = now() + $2::float8 * interval '1 second'
    WHERE id = $1 AND state = 'outcome_unknown'
"""


async def probe_late_once(work: Workbench) -> float | None:
    """Look once at what is due. Returns 0 if there may be more, None for the usual rhythm."""
    rows = await work.pool.fetch(_TAKE, _BATCH)
    of_account = defaultdict[UUID, list[Publication]](list)
    for row in rows:
        of_account[row["account_id"]].append(Publication.from_row(row))
    async with asyncio.TaskGroup() as tasks:
        for publications in of_account.values():
            tasks.create_task(_probe_in_turn(work, publications))
    return 0.0 if len(rows) == _BATCH else None


async def _probe_in_turn(work: Workbench, publications: Sequence[Publication]) -> None:
    """One after the other: with the same words, what one finds is no longer there for the next."""
    for publication in publications:
        await _probe(work, publication)


async def _probe(work: Workbench, publication: Publication) -> None:
    try:
        await _look(work, publication)
    except (ContentGoneError, TokenUnreadableError) as error:
        log.warning("publication.not_looked_up", publication_id=str(publication.id), error=str(error))
    except Exception:
        log.exception("publication.late_probe_failed", publication_id=str(publication.id))


async def _look(work: Workbench, publication: Publication) -> None:
    content = await read_content(work, publication)
    wait = await work.gate.admit(content.account.ig_user_id)
    if wait is not None:
        await work.pool.execute(_PUT_BACK, publication.id, wait.delay_s)
        return
    try:
        found = await look_up(work, publication, content)
    finally:
        work.gate.leave(content.account.ig_user_id)
    change = _conclude(found, content)
    if change is not None:
        await _settle(work, publication, change)


def _conclude(found: Result | ResendAllowed, content: Content) -> Change | None:
    """What the look proves; None leaves it to the next look, or to a person."""
    match found:
        case Published():
            return Change(
                to=PublicationState.PUBLISHED,
                owner=Owner.PUBLISHER,
                media_id=found.media_id,
                permalink=found.permalink,
            )
        case Retry() if content.caption.strip():
            # The container ended unpublished, and the post was looked for by its words.
            return Change(
                to=PublicationState.FAILED,
                owner=Owner.PUBLISHER,
                reason="not_published",
                error=found.fault,
                drop_container=True,
            )
        case Deferred(drop_container=True):
            # Restored, and certainly not live: whoever still wants it tries again.
            return Change(
                to=PublicationState.FAILED, owner=Owner.PUBLISHER, reason="not_published", drop_container=True
            )
        case _:
            return None


async def _settle(work: Workbench, publication: Publication, change: Change) -> None:
    """Write it, unless a person has resolved the publication meanwhile."""
    async with work.pool.acquire() as connection, connection.transaction():
        written = await transition(
            connection, publication.id, change, user_id=publication.user_id, epoch=publication.epoch
        )
    if written is not None:
        metrics.publications_total.labels(state=written.state.value).inc()
        count_ended([written])
        log.info("publication.found_later", publication_id=str(publication.id), state=written.state.value)
