"""SQL of what was judged of an account before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.api.filters import filtered
from services.api.health.contract import PastHealth
from shared.database import Row

_JSON = ("components", "gates", "reasons")
_LIST = """
    SELECT id, account_id, score, band, confidence, components, gates, reasons, formula_version, computed_at
    FROM health_history
    WHERE user_id = $1
"""


def list_query(
    user_id: UUID, *, account_id: UUID | None, begin: datetime | None, end: datetime | None
) -> tuple[str, list[Any]]:
    """The statement that selects what was judged of an account, `computed_at` from `begin` to before `end`."""
    clauses: Mapping[str, Any] = {"account_id = {}": account_id, "computed_at >= {}": begin, "computed_at < {}": end}
    return filtered(_LIST, user_id, clauses=clauses)


def present(row: Row) -> PastHealth:
    """One judgement as clients see it."""
    return msgspec.convert(dict(row) | {name: msgspec.json.decode(row[name]) for name in _JSON}, PastHealth)
