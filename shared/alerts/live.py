"""Raising and resolving: at most one alert is live for each code and subject, however often it is raised."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.alerts.alert import Alert, AlertCode, event_of
from shared.database import Connection, Row
from shared.outbox import record_events

_BATCH = 1_000
# What is said already is passed over: a thing that stays wrong costs no write. A live one takes the newest words; where
# it has come further it is escalated, and needs a person again. One that has become less severe says so without a word
# to anybody.
_RAISE = """
    INSERT INTO alerts AS live (id, user_id, code, severity, stage, subject_type, subject_id, text, advice, details)
    SELECT new.id, new.user_id, new.code, new.severity, new.stage, new.subject_type, new.subject_id, new.text,
           new.advice, new.details::jsonb
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::uuid[], $8::text[],
                $9::text[], $10::text[]) WITH ORDINALITY
         AS new (id, user_id, code, severity, stage, subject_type, subject_id, text, advice, details, place)
    LEFT JOIN alerts AS known
        ON known.user_id = new.user_id AND known.code = new.code AND known.subject_id = new.subject_id
        AND known.state <> 'resolved'
    WHERE known.id IS NULL
       OR (known.severity, known.stage, known.text, known.advice, known.details)
          IS DISTINCT FROM (new.severity, new.stage, new.text, new.advice, new.details::jsonb)
    ORDER BY new.place
    ON CONFLICT (user_id, code, subject_id) WHERE state <> 'resolved' DO UPDATE SET
        text = excluded.text, advice = excluded.advice, details = excluded.details,
        count = live.count + 1, seen_at = now(), severity = excluded.severity, stage = excluded.stage,
        escalated_at = CASE WHEN (array_position('{info,warning,critical}'::text[], excluded.severity), excluded.stage)
                                 > (array_position('{info,warning,critical}'::text[], live.severity), live.stage)
                            THEN now() ELSE live.escalated_at END,
        state = CASE WHEN (array_position('{info,warning,critical}'::text[], excluded.severity), excluded.stage)
                          > (array_position('{info,warning,critical}'::text[], live.severity), live.stage)
                     THEN 'open' ELSE live.state END
    RETURNING *, xmax = 0 AS opened, escalated_at = now() AS escalated
"""
_RESOLVE = """
    UPDATE alerts
    SET state = 'resolved', resolved_at = now()
    WHERE user_id = ANY($1::uuid[]) AND code = $2 AND subject_id = ANY($3::uuid[]) AND state <> 'resolved'
    RETURNING *
"""
_RESOLVE_OTHERS = """
    UPDATE alerts
    SET state = 'resolved', resolved_at = now()
    WHERE user_id = $1 AND code = ANY($2::text[]) AND state <> 'resolved'
      AND NOT EXISTS (
          SELECT
          FROM unnest($3::text[], $4::uuid[]) AS still (code, subject_id)
          WHERE still.code = alerts.code AND still.subject_id = alerts.subject_id
      )
    RETURNING *
"""


async def raise_alerts(tx: Connection, alerts: Sequence[Alert]) -> int:
    """Say that these things are wrong, in the transaction that found it.

    An alert that is live already takes the newest words; where it has become more severe, or has come to a later stage,
    it is escalated, and open again if somebody had acknowledged it. Events tell of the first time and of each
    escalation. What is live in the same words is left as it is.

    Args:
        tx: the caller's transaction.
        alerts: of any tenants; of several for one thing the last counts.

    Returns:
        How many were opened or escalated.
    """
    newest = {(alert.user_id, alert.code, alert.subject_id): alert for alert in alerts}
    # One order for all writers, so that two of them never wait for each other in a circle.
    ordered = [newest[key] for key in sorted(newest)]
    told = 0
    for start in range(0, len(ordered), _BATCH):
        rows = await _raise(tx, ordered[start : start + _BATCH])
        events = [event_of(row, "alert.opened") for row in rows if row["opened"]]
        events += [event_of(row, "alert.escalated") for row in rows if row["escalated"] and not row["opened"]]
        await record_events(tx, events)
        told += len(events)
    return told


async def resolve_alerts(
    tx: Connection,
    code: AlertCode,
    subject_ids: Sequence[UUID],
    *,
    user_id: UUID | Collection[UUID],
) -> int:
    """Say that what these alerts told of is over; subjects without a live one are passed over.

    Args:
        tx: the caller's transaction.
        code: what was wrong.
        subject_ids: with what.
        user_id: their tenant, or the tenants that were told of the same subject.

    Returns:
        How many were live.
    """
    user_ids = [user_id] if isinstance(user_id, UUID) else sorted(user_id)
    rows = await tx.fetch(_RESOLVE, user_ids, code.value, sorted(subject_ids)) if subject_ids else []
    await record_events(tx, [event_of(row, "alert.resolved") for row in rows])
    return len(rows)


async def settle_alerts(
    tx: Connection, alerts: Sequence[Alert], *, codes: Collection[AlertCode], user_id: UUID
) -> tuple[int, int]:
    """Bring a tenant's live alerts of some codes to exactly these.

    Args:
        tx: the caller's transaction.
        alerts: all that is wrong now, of these codes and this tenant.
        codes: what was looked for.
        user_id: the tenant.

    Returns:
        How many were opened or escalated, and how many resolved.
    """
    rows = await tx.fetch(
        _RESOLVE_OTHERS,
        user_id,
        sorted(codes),
        [alert.code.value for alert in alerts],
        [alert.subject_id for alert in alerts],
    )
    await record_events(tx, [event_of(row, "alert.resolved") for row in rows])
    return await raise_alerts(tx, alerts), len(rows)


async def _raise(tx: Connection, alerts: Sequence[Alert]) -> Sequence[Row]:
    return await tx.fetch(
        _RAISE,
        [uuid7() for _ in alerts],
        [alert.user_id for alert in alerts],
        [alert.code.value for alert in alerts],
        [alert.severity.value for alert in alerts],
        [alert.stage for alert in alerts],
        [alert.subject_type for alert in alerts],
        [alert.subject_id for alert in alerts],
        [alert.text for alert in alerts],
        [alert.advice for alert in alerts],
        [json.dumps(dict(alert.details)) for alert in alerts],
    )
