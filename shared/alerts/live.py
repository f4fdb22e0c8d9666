"""Raising and resolving: at most one alert is live for each code and subject, however often it is raised."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.database import Connection, Row
from shared.outbox import Event, record_events


class Severity(StrEnum):
    """How soon somebody should act."""

    INFO = "info"  # when there is time
    WARNING = "warning"  # soon: something will fail
    CRITICAL = "critical"  # now: something fails


class AlertCode(StrEnum):
    """What is wrong; docs/health.md tells what to do about each."""

    TOKEN_EXPIRING = "token_expiring"  # noqa: S105 - the name of an alert, not a token
    REAUTH_REQUIRED = "reauth_required"
    ACCOUNT_RESTRICTED = "account_restricted"
    HEALTH_LOW = "health_low"
    OUTCOME_UNKNOWN = "outcome_unknown"
    PUBLICATIONS_MISSED = "publications_missed"
    SCHEDULE_BROKEN = "schedule_broken"
    QUEUE_EMPTY = "queue_empty"
    APP_INCIDENT = "app_incident"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """What a person should know of one subject."""

    user_id: UUID
    code: AlertCode
    severity: Severity
    subject_type: str  # account, schedule, post_queue, user
    subject_id: UUID
    text: str  # one sentence: what is wrong
    advice: str  # one sentence: what to do
    details: Mapping[str, Any] = field(default_factory=dict)


# A live one takes the newest words; where it has become more severe it is escalated, and needs a person again. One that
# has become less severe says so without a word to anybody.
_RAISE = """
    INSERT INTO alerts AS live (id, user_id, code, severity, subject_type, subject_id, text, advice, details)
    SELECT id, user_id, code, severity, subject_type, subject_id, text, advice, details::jsonb
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[],
                $9::text[])
         AS new (id, user_id, code, severity, subject_type, subject_id, text, advice, details)
    ON CONFLICT (user_id, code, subject_id) WHERE state <> 'resolved' DO UPDATE SET
        text = excluded.text, advice = excluded.advice, details = excluded.details,
        count = live.count + 1, seen_at = now(), severity = excluded.severity,
        escalated_at = CASE WHEN array_position('{info,warning,critical}'::text[], excluded.severity)
                                 > array_position('{info,warning,critical}'::text[], live.severity)
                            THEN now() ELSE live.escalated_at END,
        state = CASE WHEN array_position('{info,warning,critical}'::text[], excluded.severity)
                          > array_position('{info,warning,critical}'::text[], live.severity)
                     THEN 'open' ELSE live.state END
    RETURNING *, xmax = 0 AS opened, escalated_at = now() AS escalated
"""
_RESOLVE = """
    UPDATE alerts
    SET state = 'resolved', resolved_at = now(), resolved_by = $4
    WHERE user_id = $1 AND code = $2 AND subject_id = ANY($3::uuid[]) AND state <> 'resolved'
    RETURNING *
"""


async def raise_alerts(tx: Connection, alerts: Sequence[Alert]) -> int:
    """Say that these things are wrong, in the transaction that found it.

    An alert that is live already takes the newest words; where it has become more severe it is escalated, and open
    again if somebody had acknowledged it. Events tell of the first time and of each escalation, not of repetitions.

    Args:
        tx: the caller's transaction.
        alerts: of any tenants; of several for one thing the last counts.

    Returns:
        How many were opened or escalated.
    """
    newest = {(alert.user_id, alert.code, alert.subject_id): alert for alert in alerts}
    # One order for all writers, so that two of them never wait for each other in a circle.
    ordered = [newest[key] for key in sorted(newest)]
    if not ordered:
        return 0
    rows = await tx.fetch(
        _RAISE,
        [uuid7() for _ in ordered],
        [alert.user_id for alert in ordered],
        [alert.code.value for alert in ordered],
        [alert.severity.value for alert in ordered],
        [alert.subject_type for alert in ordered],
        [alert.subject_id for alert in ordered],
        [alert.text for alert in ordered],
        [alert.advice for alert in ordered],
        [json.dumps(dict(alert.details)) for alert in ordered],
    )
    events = [_event(row, "alert.opened") for row in rows if row["opened"]]
    events += [_event(row, "alert.escalated") for row in rows if row["escalated"] and not row["opened"]]
    await record_events(tx, events)
    return len(events)


async def resolve_alerts(
    tx: Connection, code: AlertCode, subject_ids: Sequence[UUID], *, user_id: UUID, by: str | None = None
) -> int:
    """Say that what these alerts told of is over; subjects without a live one are passed over.

    Args:
        tx: the caller's transaction.
        code: what was wrong.
        subject_ids: with what.
        user_id: their tenant.
        by: the key of the person who says so; None: it was seen to be over.

    Returns:
        How many were live.
    """
    rows = await tx.fetch(_RESOLVE, user_id, code.value, sorted(subject_ids), by) if subject_ids else []
    await record_events(tx, [_event(row, "alert.resolved") for row in rows])
    return len(rows)


def _event(row: Row, event_type: str) -> Event:
    payload = {
        "code": row["code"],
        "severity": row["severity"],
        "subject_type": row["subject_type"],
        "subject_id": str(row["subject_id"]),
        "text": row["text"],
        "advice": row["advice"],
    }
    return Event(user_id=row["user_id"], type=event_type, subject=row["id"], payload=payload)
