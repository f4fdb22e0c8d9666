"""Taking a publication to work on it: one conditional UPDATE decides; every clock is the database's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.accounts import CAUTION_COLUMN, Slot
from shared.database import Connection, Row
from shared.publications.caps import find_slot
from shared.publications.gates import DISTRIBUTION_PAUSED, held_because, is_still_paused, read_egress
from shared.publications.halt import REASON_OF, Halt
from shared.publications.publication import Publication
from shared.publications.states import PublicationState, Step

# Whoever holds the account may hold it for long (an import of thousands): waiting here would take connections from all.
_LOCK_ACCOUNT = f"""
    SELECT accounts.user_id, accounts.id, accounts.state, accounts.proxy_id, accounts.removed_at, {CAUTION_COLUMN},
           publications.step, publications.halt, publications.distribution_id,
           distributions.paused_at IS NOT NULL AS is_paused,
           CASE WHEN accounts.quota_until > now() THEN accounts.quota_until END AS quota_until, accounts.quota_total,
           accounts.warmup_day, accounts.warmup_day_began_at, accounts.flagged_at, now() AS read_at,
           warmup_protocols.daily_caps, warmup_protocols.min_gap_s, warmup_protocols.success_ratio,
           -- What was sent may be live: caps let it through, since all it does is look.
           publications.state = 'scheduled' AND publications.step IS DISTINCT FROM 'publish_sent'
           AND publications.revision = $2 AND publications.next_attempt_at <= now() AS begins
    FROM publications
    JOIN accounts ON accounts.id = publications.account_id
    LEFT JOIN warmup_protocols ON warmup_protocols.id = accounts.protocol_id
    LEFT JOIN distributions ON distributions.id = publications.distribution_id
    WHERE publications.id = $1
    FOR NO KEY UPDATE OF accounts SKIP LOCKED
"""  # noqa: S608 - built of constants alone
# A worker that died did not fail the publication: taking over keeps the attempt's number and only renews the epoch.
_CLAIM = """
    UPDATE publications AS p SET
        state = 'publishing',
        reason = NULL,
        epoch = epoch + 1,
        attempt = attempt + CASE WHEN state = 'scheduled' THEN 1 ELSE 0 END,
        lease_until = now() + $3::float8 * interval '1 second',
        lease_owner = $4,
        rescue_at = now(),
        rescues = 0,
        updated_at = now()
    WHERE id = $1 AND revision = $2
      AND (
          (state = 'scheduled' AND next_attempt_at <= now()
           AND (max_lateness_s IS NULL OR step IS NOT NULL
                OR publish_at + max_lateness_s * interval '1 second' >= now()))
          -- What was claimed in time may go on, however late its worker died.
          OR (state = 'publishing' AND lease_until < now())
      )
      AND NOT EXISTS (
          SELECT 1 FROM publications AS other
          WHERE other.account_id = p.account_id AND other.state = 'publishing' AND other.id <> p.id
      )
    RETURNING *, now() AS read_at
"""
_BEGIN_ATTEMPT = """
    WITH lost AS (
        UPDATE publication_attempts SET ended_at = now(), outcome = 'worker_lost'
        WHERE publication_id = $1 AND ended_at IS NULL
    )
    INSERT INTO publication_attempts (publication_id, epoch, user_id, attempt, worker, account_id)
    VALUES ($1, $2, $3, $4, $5, $6)
"""
_EXPLAIN = """
    SELECT state, revision, extract(epoch FROM next_attempt_at - now())::float8 AS due_in_s,
           coalesce(lease_until < now(), false) AS lease_over,
           coalesce(state = 'scheduled' AND step IS NULL
                    AND publish_at + max_lateness_s * interval '1 second' < now(), false) AS too_late,
           user_id, epoch
    FROM publications WHERE id = $1
"""


class Refusal(StrEnum):
    """Why a claim was not granted."""

    GONE = "gone"  # no such row
    ENDED = "ended"  # published, failed, held, canceled, missed or unknown: not this worker's business
    OTHER_REVISION = "other_revision"  # a newer message speaks for the row
    LIVE_LEASE = "live_lease"  # another worker is at it
    TOO_LATE = "too_late"  # the scheduler marks it missed
    NOT_DUE = "not_due"
    ACCOUNT_BUSY = "account_busy"  # its row is locked, or another publication of it is being published
    ACCOUNT_UNFIT = "account_unfit"  # it cannot publish or is ill, its proxy is down, or a person stopped this
    CAPPED = "capped"  # the account has used up what it may publish for now


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A claim that was not granted."""

    why: Refusal
    due_in_s: float = 0.0  # for NOT_DUE
    unfit: Unfit | None = None  # for ACCOUNT_UNFIT
    slot: Slot | None = None  # for CAPPED: the next free one


@dataclass(frozen=True, kw_only=True)
class Unfit:
    """A publication that is held back, as it stands under the account's lock."""

    reason: str
    user_id: UUID
    epoch: int
    claimed: bool  # it was in publishing, by a worker that died


async def claim(
    tx: Connection, publication_id: UUID, *, revision: int, worker: str, lease_s: float
) -> Publication | Refused:
    """Claim a publication for `lease_s` seconds, or say why not.

    The account's row is locked first: one publication at a time per account, and whatever is counted per account is
    counted under that lock.

    Args:
        tx: the caller's transaction; commit it before the first call to the platform.
        publication_id: the row.
        revision: what the message was written for.
        worker: this process, for `lease_owner`.
        lease_s: seconds until others may take over.
    """
    account = await tx.fetchrow(_LOCK_ACCOUNT, publication_id, revision)
    if account is None:
        return await _explain(tx, publication_id, revision, closed=None)
    closed = await _find_closed(tx, account) or await _find_stopped(tx, account)
    if closed is not None:
        return await _explain(tx, publication_id, revision, closed=closed)
    slot = await find_slot(tx, account) if account["begins"] else None
    if slot is not None:
        return Refused(why=Refusal.CAPPED, slot=slot)
    row = await tx.fetchrow(_CLAIM, publication_id, revision, lease_s, worker)
    if row is None:
        return await _explain(tx, publication_id, revision, closed=None)
    publication = Publication.from_row(row)
    await tx.execute(
        _BEGIN_ATTEMPT,
        publication.id,
        publication.epoch,
        publication.user_id,
        publication.attempt,
        worker,
        publication.account_id,
    )
    return publication


async def _find_closed(tx: Connection, row: Row) -> str | None:
    egress = await read_egress(tx, row, user_id=row["user_id"])
    return held_because(row, egress, was_sent=row["step"] == Step.PUBLISH_SENT)


async def _find_stopped(tx: Connection, row: Row) -> str | None:
    """The reason for which a person holds this very publication; what was sent may be live, and is looked up."""
    if row["step"] == Step.PUBLISH_SENT:
        return None
    if row["halt"] is not None:
        return REASON_OF[Halt(row["halt"])]
    is_paused = row["is_paused"] and await is_still_paused(tx, row["distribution_id"], user_id=row["user_id"])
    return DISTRIBUTION_PAUSED if is_paused else None


async def _explain(tx: Connection, publication_id: UUID, revision: int, *, closed: str | None) -> Refused:
    row = await tx.fetchrow(_EXPLAIN, publication_id)
    if row is None:
        return Refused(why=Refusal.GONE)
    if row["state"] not in {PublicationState.SCHEDULED, PublicationState.PUBLISHING}:
        return Refused(why=Refusal.ENDED)
    if row["revision"] != revision:
        return Refused(why=Refusal.OTHER_REVISION)
    if row["state"] == PublicationState.PUBLISHING and not row["lease_over"]:
        return Refused(why=Refusal.LIVE_LEASE)
    if row["too_late"]:
        return Refused(why=Refusal.TOO_LATE)
    if closed is not None:
        claimed = row["state"] == PublicationState.PUBLISHING
        unfit = Unfit(reason=closed, user_id=row["user_id"], epoch=row["epoch"], claimed=claimed)
        return Refused(why=Refusal.ACCOUNT_UNFIT, unfit=unfit)
    if row["state"] == PublicationState.SCHEDULED and row["due_in_s"] > 0:
        return Refused(why=Refusal.NOT_DUE, due_in_s=row["due_in_s"])
    return Refused(why=Refusal.ACCOUNT_BUSY)
