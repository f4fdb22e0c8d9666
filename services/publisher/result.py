"""Last step: what came of the try is written with its event and whatever must follow, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import structlog

from services.publisher.account import take_account
from services.publisher.effects import PLATFORM_DOWN, QUOTA
from services.publisher.quota import wait_for_quota
from services.publisher.results import Deferred, Failed, Held, Published, Result, Retry, Unknown
from services.publisher.workbench import Workbench
from shared import metrics
from shared.accounts import Owner as AccountOwner
from shared.accounts import transition_account
from shared.database import Connection, Row, run_in_transaction
from shared.jobs import RETRY_STEPS_MS, Again, JobType, get_job_options_by_type
from shared.kill_points import kill_point
from shared.publications import Change, Owner, Publication, PublicationState, Step, count_ended, transition

log = structlog.get_logger()
_BACKOFF_MS = get_job_options_by_type(JobType.POST_PUBLISH).backoff_ms
_STANDING = """
    SELECT publications.step, publications.publish_sends, accounts.state AS account_state,
           coalesce(accounts.warmup_day < cardinality(warmup_protocols.daily_caps), false) AS warms_up
    FROM publications
    JOIN accounts ON accounts.user_id = publications.user_id AND accounts.id = publications.account_id
    LEFT JOIN warmup_protocols ON warmup_protocols.id = accounts.protocol_id
    WHERE publications.id = $1
"""


async def write_result(work: Workbench, publication: Publication, result: Result) -> Again | None:
    """Write what came of a try.

    Args:
        work: servers and timings.
        publication: the row as claimed; its epoch guards the write.
        result: what came of it.

    Returns:
        `Again` if the message must come back by the broker's retry ladder.
    """
    # A try that may have been committed is not written again: whoever comes next finds what the row says.
    written = await run_in_transaction(work.pool, partial(_write, work, publication, result))
    if written is None:
        log.warning("publication.claim_lost", epoch=publication.epoch)
        metrics.leases_lost_total.inc()
        return None
    kill_point("publisher.result_committed")
    if written.account_moved:
        await work.cache.invalidate_account(publication.account_id, user_id=publication.user_id)
    _observe(written.publication)
    if written.change.reason == PLATFORM_DOWN:
        work.gate.note_waiting()
    if written.publication.state is PublicationState.SCHEDULED and not written.change.through_outbox:
        return Again(delay_ms=round(written.change.delay_s * 1000))
    return None


@dataclass(frozen=True, kw_only=True)
class _Written:
    change: Change
    publication: Publication  # as it is now
    account_moved: bool


async def _write(work: Workbench, publication: Publication, result: Result, tx: Connection) -> _Written | None:
    """Write publication and account; None if another worker has claimed the publication since."""
    standing = await tx.fetchrow(_STANDING, publication.id)
    if standing is None:
        return None  # its user is gone
    result, target = await take_account(
        tx, publication, result, state=standing["account_state"], warms_up=standing["warms_up"]
    )
    if isinstance(result, Deferred) and result.reason == QUOTA:
        result = await wait_for_quota(tx, publication, result)
    change = _change(work, publication, result, open_call=_has_open_call(standing, result))
    written = await transition(tx, publication.id, change, user_id=publication.user_id, epoch=publication.epoch)
    if written is None:
        return None
    account_moved = target is not None and await transition_account(
        tx,
        publication.account_id,
        user_id=publication.user_id,
        target=target,
        owner=AccountOwner.PUBLISHER,
        reason=change.reason,
    )
    return _Written(change=change, publication=written, account_moved=account_moved)


def _has_open_call(standing: Row, result: Result) -> bool:
    """Whether a publish call stands whose effect is not known, as the row says: this try may have gone far.

    A refusal of the last call takes back that one; an earlier call stays open.
    """
    if standing["step"] != Step.PUBLISH_SENT:
        return False
    if isinstance(result, Failed | Retry):
        if result.unsend:
            return bool(standing["publish_sends"] > 1)
        return not result.drop_container
    return True


def _change(work: Workbench, publication: Publication, result: Result, *, open_call: bool) -> Change:
    match result:
        case Published():
            return Change(
                to=PublicationState.PUBLISHED,
                owner=Owner.PUBLISHER,
                media_id=result.media_id,
                permalink=result.permalink,
            )
        case Failed():
            return _ended(result, reason=result.reason, open_call=open_call)
        case Held():
            return Change(
                to=PublicationState.HELD,
                owner=Owner.PUBLISHER,
                reason=result.reason,
                error=result.fault,
                give_back=1,
                unsend=result.unsend,
            )
        case Unknown():
            return Change(
                to=PublicationState.OUTCOME_UNKNOWN, owner=Owner.PUBLISHER, reason=result.reason, error=result.fault
            )
        case Retry() if publication.attempt >= publication.max_attempts:
            return _ended(result, reason=result.spent, open_call=open_call)
        case Retry():
            return _again(
                work,
                Change(
                    to=PublicationState.SCHEDULED,
                    owner=Owner.PUBLISHER,
                    reason=result.reason,
                    error=result.fault,
                    delay_s=_BACKOFF_MS * 2 ** (publication.attempt - 1) / 1000,
                    drop_container=result.drop_container and not open_call,
                    unsend=result.unsend,
                ),
            )
        case Deferred():
            return _again(
                work,
                Change(
                    to=PublicationState.SCHEDULED,
                    owner=Owner.PUBLISHER,
                    reason=result.reason,
                    error=result.fault,
                    delay_s=result.delay_s,
                    # An outage was to blame for the tries before it as well.
                    give_back=publication.attempt if result.reason == PLATFORM_DOWN else 1,
                    drop_container=result.drop_container,
                    unsend=result.unsend,
                ),
            )


def _again(work: Workbench, change: Change) -> Change:
    """The way back: by the broker's ladder where it has exactly this step, else by the outbox to the millisecond."""
    on_ladder = round(change.delay_s * 1000) in RETRY_STEPS_MS
    return replace(change, rescue_after_s=work.rescue_after_s, through_outbox=not on_ladder)


def _ended(result: Failed | Retry, *, reason: str, open_call: bool) -> Change:
    """No further try. A publish call whose effect is open is never called a failure."""
    return Change(
        to=PublicationState.OUTCOME_UNKNOWN if open_call else PublicationState.FAILED,
        owner=Owner.PUBLISHER,
        reason=reason,
        error=result.fault,
        drop_container=result.drop_container and not open_call,
        unsend=result.unsend,
    )


def _observe(publication: Publication) -> None:
    metrics.publications_total.labels(state=publication.state.value).inc()
    count_ended([publication])
    log.info("publication.written", state=publication.state.value, reason=publication.reason)
    if publication.state is PublicationState.PUBLISHED:
        lateness = datetime.now(UTC) - publication.publish_at
        metrics.publication_lateness_seconds.observe(max(lateness.total_seconds(), 0.0))
