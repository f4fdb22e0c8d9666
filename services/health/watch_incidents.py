"""The sweep for incidents: one class of error that hits many accounts at once is the app's trouble, and no account's.

The app then rests: nobody calls the platform for a while, and longer each time the error is still there afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from services.health.incident_evidence import Hit, find_hits, has_published
from services.health.incident_steps import CLASSES, Step, next_step, pause_s
from services.health.rescore import Clinic, rescore
from services.health.tell_incident import tell_end, tell_pause
from shared import metrics
from shared.database import Connection, Row
from shared.instagram import PlatformGate

log = structlog.get_logger()
_CLASSES = sorted(CLASSES)

_OPEN = """
    SELECT id, error_class, user_ids, pauses, opened_at, paused_until,
           extract(epoch FROM now() - paused_until)::float8 AS since_pause_s
    FROM incidents
    WHERE closed_at IS NULL
"""
_BEGIN = """
    INSERT INTO incidents (id, error_class, accounts, share, user_ids, paused_until)
    VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')
    ON CONFLICT (error_class) WHERE closed_at IS NULL DO NOTHING
    RETURNING *
"""
# Whoever comes second finds another number of pauses.
_PAUSE = """
    UPDATE incidents
    SET accounts = $3, share = $4, user_ids = ARRAY(SELECT DISTINCT unnest(user_ids || $5::uuid[]) ORDER BY 1),
        paused_until = now() + $6 * interval '1 second', pauses = pauses + 1, seen_at = now()
    WHERE id = $1 AND pauses = $2 AND closed_at IS NULL
    RETURNING *
"""
_CLOSE = """
    UPDATE incidents
    SET closed_at = now()
    WHERE id = $1 AND pauses = $2 AND closed_at IS NULL
    RETURNING *
"""
# Whom it hit is asked for again within minutes: nobody is to wait for the usual time, blamed or held for what is over.
_ASK_AGAIN = """
    WITH hit AS (
        SELECT account_id
        FROM health_checks
        WHERE account_id IN (
            SELECT account_id
            FROM health_checks
            WHERE refused_at > $2::timestamptz - interval '15 minutes'
            UNION ALL
            SELECT id
            FROM accounts
            WHERE user_id = ANY($1::uuid[]) AND state = 'NEEDS_REAUTH'
              AND flagged_at > $2::timestamptz - interval '15 minutes'
        )
        ORDER BY account_id
        FOR NO KEY UPDATE
    )
    UPDATE health_checks
    SET next_check_at = least(
            health_checks.next_check_at - interval '1 microsecond', now() + random() * interval '5 minutes'
        ),
        ask_at = least(health_checks.ask_at, now())
    FROM hit
    WHERE health_checks.account_id = hit.account_id
"""


@dataclass(frozen=True, kw_only=True)
class Watchman:
    """What the sweep needs, built once in service.py."""

    clinic: Clinic
    gate: PlatformGate


async def watch_incidents_once(watchman: Watchman) -> None:
    """One sweep over all tenants: open, pause again, close; and hold the app as long as the rows say."""
    clinic = watchman.clinic
    async with clinic.pool.acquire() as connection, connection.transaction():
        known = {row["error_class"]: row for row in await connection.fetch(_OPEN)}
        hits = await find_hits(connection, known)
        changed = [await _begin(connection, hit) for hit in hits.values() if hit.error_class not in known]
        changed += [await _go_on(connection, row, hits.get(row["error_class"])) for row in known.values()]
        standing = await connection.fetch(_OPEN)
    # In each process and at each turn: a Redis that has forgotten learns it anew.
    await watchman.gate.pause_app(max((-row["since_pause_s"] for row in standing), default=0.0))
    _show(row["error_class"] for row in standing)
    for user_id in {user_id for row in changed if row is not None for user_id in row["user_ids"]}:
        await clinic.cache.invalidate_user(user_id)
    # What was counted against them before the incident was known is taken back.
    opened = {row["error_class"] for row in changed if row is not None and row["closed_at"] is None}
    await rescore(clinic, [account_id for name in opened for account_id in hits[name].account_ids])


async def _begin(tx: Connection, hit: Hit) -> Row | None:
    row = await tx.fetchrow(
        _BEGIN, uuid7(), hit.error_class, len(hit.account_ids), hit.share, hit.user_ids, float(pause_s(1))
    )
    return await _told(tx, row, "opened", newly=hit.user_ids)


async def _go_on(tx: Connection, incident: Row, hit: Hit | None) -> Row | None:
    paused = incident["since_pause_s"] < 0
    succeeded = not paused and hit is None and await has_published(tx, incident["paused_until"])
    match next_step(since_pause_s=incident["since_pause_s"], hit=hit is not None, succeeded=succeeded):
        case Step.PAUSE if hit is not None:
            seconds = float(pause_s(incident["pauses"] + 1))
            key = incident["id"], incident["pauses"]
            row = await tx.fetchrow(_PAUSE, *key, len(hit.account_ids), hit.share, hit.user_ids, seconds)
            return await _told(tx, row, "paused_again", newly=hit.user_ids)
        case Step.CLOSE:
            return await _close(tx, incident)
        case _:
            return None


async def _told(tx: Connection, row: Row | None, state: str, *, newly: Sequence[UUID]) -> Row | None:
    """Tell of a pause; None: another process was first, and has told of it."""
    if row is not None:
        log.warning("incident.pauses", error_class=row["error_class"], state=state, accounts=row["accounts"])
        await tell_pause(tx, row, state, newly=newly)
    return row


async def _close(tx: Connection, incident: Row) -> Row | None:
    row = await tx.fetchrow(_CLOSE, incident["id"], incident["pauses"])
    if row is None:
        return None
    log.info("incident.closed", error_class=row["error_class"])
    await tx.execute(_ASK_AGAIN, row["user_ids"], row["opened_at"])
    await tell_end(tx, row)
    return row


def _show(open_classes: Iterable[str]) -> None:
    found = set(open_classes)
    for error_class in _CLASSES:
        metrics.incidents_open.labels(error_class=error_class).set(error_class in found)
