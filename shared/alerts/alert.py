"""What an alert is, and the event that tells of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.database import Row
from shared.outbox import Event


class Severity(StrEnum):
    """How soon somebody should act."""

    INFO = "info"  # when there is time
    WARNING = "warning"  # soon: something will fail
    CRITICAL = "critical"  # now: something fails


class AlertState(StrEnum):
    """Where an alert stands; all but the last are live."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


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
    subject_type: str  # account, schedule, post_queue, incident
    subject_id: UUID
    text: str  # one sentence: what is wrong
    advice: str  # one sentence: what to do
    details: Mapping[str, Any] = field(default_factory=dict)
    stage: int = 0  # how far it has come within its severity; further is an escalation too


def event_of(row: Row, event_type: str) -> Event:
    """The event that tells of an alert as it is now.

    Args:
        row: of `alerts`.
        event_type: `alert.opened`, `alert.escalated`, `alert.acknowledged` or `alert.resolved`.
    """
    payload = {
        "code": row["code"],
        "severity": row["severity"],
        "subject_type": row["subject_type"],
        "subject_id": str(row["subject_id"]),
        "text": row["text"],
        "advice": row["advice"],
    }
    if row["subject_type"] == "account":
        # So that keys which see this account alone are told.
        payload["account_id"] = str(row["subject_id"])
    return Event(user_id=row["user_id"], type=event_type, subject=row["id"], payload=payload)
