"""What is due in the outbox and not sent yet."""

from __future__ import annotations

from dataclasses import dataclass

from shared.database import Connection

# Each priority by its own range of the index outbox_due, so that the rows of the future are never looked at.
_BACKLOG = """
    SELECT sum(lane.due)::bigint AS due, extract(epoch FROM now() - min(lane.oldest))::float8 AS oldest_s
    FROM generate_series(1, 5) AS level (priority)
    CROSS JOIN LATERAL (
        SELECT count(*) AS due, min(due_at) AS oldest
        FROM outbox
        WHERE outbox.priority = level.priority AND outbox.due_at <= now()
    ) AS lane
"""


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """Rows past their due time."""

    due: int
    oldest_s: float | None  # how long the oldest is overdue; None if nothing is due


async def read_backlog(connection: Connection) -> Backlog:
    """Count what is due. Costs as much as there is due, however much waits for its time."""
    [row] = await connection.fetch(_BACKLOG)
    return Backlog(due=row["due"], oldest_s=row["oldest_s"])
