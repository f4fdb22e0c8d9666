"""SQL of numbers over time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from services.api.analytics.contract import AnalyticsSnapshot, AnalyticsSource, AnalyticsWindow
from services.api.filters import filtered
from shared.database import Connection, Row

_Numbers: TypeAlias = dict[str, int | float | None]

# The one before is looked for beside each row, whatever page that stands on: by the indexes
# analytics_snapshots_publication and analytics_snapshots_daily. Differences are those of exact decimals.
_LIST = """
    SELECT taken.id, taken.source, taken.publication_id, taken.window_from, taken.window_to, taken.captured_at,
           extract(epoch FROM now() - taken.captured_at)::bigint AS freshness_s, taken.metrics,
           before.captured_at AS deltas_since,
           (
               SELECT coalesce(jsonb_object_agg(name, value::numeric - (before.metrics ->> name)::numeric), '{}')
               FROM jsonb_each_text(taken.metrics) AS metric (name, value)
           ) AS deltas
    FROM analytics_snapshots AS taken
    LEFT JOIN LATERAL (
        (
            SELECT metrics, captured_at FROM analytics_snapshots
            WHERE publication_id = taken.publication_id AND due_age_s < taken.due_age_s
            ORDER BY due_age_s DESC
            LIMIT 1
        )
        UNION ALL
        (
            SELECT metrics, captured_at FROM analytics_snapshots
            WHERE taken.publication_id IS NULL AND publication_id IS NULL AND account_id = taken.account_id
              AND source = taken.source AND until_day < taken.until_day
            ORDER BY until_day DESC
            LIMIT 1
        )
    ) AS before ON true
    WHERE taken.user_id = $1
"""
_OF_PUBLICATION = f"""
    {_LIST}
      AND taken.publication_id = $2
    ORDER BY taken.due_age_s DESC
    LIMIT $3
"""


def list_query(
    user_id: UUID,
    *,
    account_id: UUID | None,
    source: AnalyticsSource | None,
    publication_id: UUID | None,
    begin: datetime | None,
    end: datetime | None,
) -> tuple[str, list[Any]]:
    """The statement that selects snapshots of an account.

    Args:
        user_id: the tenant.
        account_id: one of the tenant's.
        source: where the numbers come from.
        publication_id: one of the account's.
        begin: first `captured_at`.
        end: the `captured_at` before which they end.
    """
    clauses: Mapping[str, Any] = {
        "taken.account_id = {}": account_id,
        "taken.source = {}": source,
        "taken.publication_id = {}": publication_id,
        "taken.captured_at >= {}": begin,
        "taken.captured_at < {}": end,
    }
    return filtered(_LIST, user_id, clauses=clauses)


async def of_publication(connection: Connection, publication_id: UUID, *, user_id: UUID, limit: int) -> list[Row]:
    """The newest snapshots of a publication."""
    return await connection.fetch(_OF_PUBLICATION, user_id, publication_id, limit)


def present(row: Row) -> AnalyticsSnapshot:
    """A snapshot as clients see it."""
    return AnalyticsSnapshot(
        id=row["id"],
        source=AnalyticsSource(row["source"]),
        publication_id=row["publication_id"],
        window=AnalyticsWindow(begin=row["window_from"], end=row["window_to"]),
        captured_at=row["captured_at"],
        freshness_s=row["freshness_s"],
        metrics=msgspec.json.decode(row["metrics"], type=_Numbers),
        deltas=msgspec.json.decode(row["deltas"], type=_Numbers),
        deltas_since=row["deltas_since"],
    )
