"""Rows that tests of dead jobs need."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.database import Pool

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


async def bury(
    pool: Pool,
    count: int = 1,
    *,
    died_at: datetime = NOON,
    type_: str = "health:check",
    reason: str = "exhausted",
    error: str | None = None,
    failures: Sequence[dict[str, Any]] = (),
    payload: bytes = b"{}",
    headers: Mapping[str, str] | None = None,
) -> list[UUID]:
    """So many dead jobs, each a minute younger than the one before; answers their ids, oldest first.

    Each is about itself unless the headers name an `x-subject`.
    """
    ids = [uuid7() for _ in range(count)]
    kept = [{"x-job-id": str(id_), "x-subject": str(id_), "x-version": "1", **(headers or {})} for id_ in ids]
    await pool.executemany(
        """
        INSERT INTO dead_jobs (id, type, subject, reason, error, attempt, priority, failures, payload, headers, died_at)
        VALUES ($1, $2, $3, $4, $5, 5, 2, $6, $7, $8, $9)
        """,
        [
            (
                *(id_, type_, own["x-subject"], reason, error),
                *(json.dumps(list(failures)), payload, json.dumps(own), died_at + timedelta(minutes=minutes)),
            )
            for minutes, (id_, own) in enumerate(zip(ids, kept, strict=True))
        ],
    )
    return ids
