"""SQL of distributions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from services.api.distributions.contract import Distribution, WindowBody
from shared.database import Connection, Row
from shared.publications import Window

LIST = """
    SELECT id, post_id, group_id, window_from, window_to, min_gap_s, max_lateness_s, seed, created_at,
           (SELECT jsonb_object_agg(state, number)
            FROM (SELECT state, count(*) AS number FROM publications
                  WHERE publications.user_id = distributions.user_id
                    AND publications.distribution_id = distributions.id
                  GROUP BY state) AS counted) AS counts
    FROM distributions
    WHERE user_id = $1
"""
_FIND = f"{LIST} AND id = $2"
_INSERT = """
    INSERT INTO distributions (id, user_id, post_id, group_id, window_from, window_to, min_gap_s, max_lateness_s, seed)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    RETURNING id
"""


@dataclass(frozen=True, kw_only=True)
class NewDistribution:
    """A distribution to be made."""

    post_id: UUID
    group_id: UUID
    window: Window
    min_gap_s: float
    max_lateness_s: int | None
    seed: int


async def insert(tx: Connection, new: NewDistribution, *, user_id: UUID) -> UUID:
    """Write a distribution; returns its id."""
    distribution_id: UUID = await tx.fetchval(
        _INSERT,
        uuid7(),
        user_id,
        new.post_id,
        new.group_id,
        new.window.begin,
        new.window.end,
        new.min_gap_s,
        new.max_lateness_s,
        new.seed,
    )
    return distribution_id


async def find(connection: Connection, distribution_id: UUID, *, user_id: UUID) -> Row | None:
    """One of the user's distributions."""
    return await connection.fetchrow(_FIND, user_id, distribution_id)


def present(row: Row) -> Distribution:
    """A distribution as clients see it."""
    hidden = {"counts", "window_from", "window_to"}
    window = WindowBody(begin=row["window_from"], end=row["window_to"])
    shown = {name: value for name, value in row.items() if name not in hidden}
    return Distribution(**shown, window=window, counts=json.loads(row["counts"] or "{}"))
