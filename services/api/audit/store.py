"""SQL of reading the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.api.audit.contract import AuditEntry, AuditSubject
from services.api.filters import filtered
from shared.database import Row

_LIST = """SELECT id, created_at, actor, action, subject_type, subject_id, before, after, request_id
    FROM audit_log
    WHERE user_id = $1
"""


def list_query(
    user_id: UUID,
    *,
    subject_type: str | None,
    subject_id: str | None,
    begin: datetime | None,
    end: datetime | None,
) -> tuple[str, list[Any]]:
    """The statement that selects a user's changes; a subject's are served by the index `audit_log_subject`."""
    clauses = {
        "subject_type = {}": subject_type,
        "subject_id = {}": subject_id,
        "created_at >= {}": begin,
        "created_at < {}": end,
    }
    return filtered(_LIST, user_id, clauses=clauses)


def present(row: Row) -> AuditEntry:
    """A change as clients see it."""
    return AuditEntry(
        id=row["id"],
        at=row["created_at"],
        actor=row["actor"],
        action=row["action"],
        subject=AuditSubject(type=row["subject_type"], id=row["subject_id"]),
        before=_told(row["before"]),
        after=_told(row["after"]),
        request_id=row["request_id"],
    )


def _told(text: str | None) -> dict[str, Any] | None:
    return None if text is None else msgspec.json.decode(text, type=dict[str, Any])
