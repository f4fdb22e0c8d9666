"""SQL of alerts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from services.api.alerts.contract import Alert, AlertSubject
from services.api.filters import filtered
from shared.alerts import AlertCode, AlertState, Severity
from shared.database import Connection, Row

_LIST = """
    SELECT id, code, severity, state, subject_type, subject_id, text, advice, details, count, opened_at, seen_at,
           escalated_at, acknowledged_at, acknowledged_by, resolved_at, resolved_by
    FROM alerts
    WHERE user_id = $1
"""
_FIND = f"{_LIST} AND id = $2"
_LOCK = f"{_FIND} FOR NO KEY UPDATE"


def list_query(
    user_id: UUID,
    *,
    state: AlertState | None,
    severity: Severity | None,
    code: AlertCode | None,
    subject_id: UUID | None,
    allowed: list[UUID] | None,
) -> tuple[str, list[Any]]:
    """The statement that selects a user's alerts; `allowed`: only those of these accounts.

    Pages of it are served by the indexes `alerts_page`, `alerts_state_page`, `alerts_code_page` and
    `alerts_subject_page`.
    """
    clauses = {
        "state = {}": state,
        "severity = {}": severity,
        "code = {}": code,
        "subject_id = {}": subject_id,
        "subject_id = ANY({}::uuid[])": allowed,
    }
    return filtered(_LIST, user_id, clauses=clauses)


async def find(connection: Connection, alert_id: UUID, *, user_id: UUID) -> Alert | None:
    """One of the user's alerts."""
    return _presented(await connection.fetchrow(_FIND, user_id, alert_id))


async def lock(tx: Connection, alert_id: UUID, *, user_id: UUID) -> Alert | None:
    """The same, as it stays until the transaction ends."""
    return _presented(await tx.fetchrow(_LOCK, user_id, alert_id))


def present(row: Row) -> Alert:
    """An alert as clients see it."""
    told = {name: row[name] for name in Alert.__struct_fields__ if name not in {"subject", "details"}}
    return Alert(
        **told,
        subject=AlertSubject(type=row["subject_type"], id=row["subject_id"]),
        details=msgspec.json.decode(row["details"]),
    )


def _presented(row: Row | None) -> Alert | None:
    return None if row is None else present(row)
