"""Writing a distribution with its publications, in the transaction that planned them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.database import Connection
from shared.publications.create import Draft, create_publications
from shared.publications.plan import Window

_INSERT = """
    INSERT INTO distributions (
        id, user_id, post_id, group_id, window_from, window_to, min_gap_s, max_lateness_s, seed, schedule_id
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    RETURNING id
"""


@dataclass(frozen=True, kw_only=True)
class NewDistribution:
    """A distribution to be made."""

    post_id: UUID
    group_id: UUID | None
    window: Window
    min_gap_s: float
    max_lateness_s: int | None
    seed: int
    schedule_id: UUID | None = None  # the schedule that makes it


async def write_distribution(
    tx: Connection, new: NewDistribution, drafts: Sequence[Draft], *, user_id: UUID, rescue_after_s: float
) -> UUID:
    """Write a distribution and its publications; returns its id.

    Args:
        tx: the transaction that planned it; it holds the lock on the post's row.
        new: what is distributed, and when.
        drafts: who publishes when; accounts are the user's own.
        user_id: the tenant.
        rescue_after_s: seconds past due after which a publication counts as forgotten.
    """
    window = new.window
    distribution_id: UUID = await tx.fetchval(
        _INSERT,
        uuid7(),
        user_id,
        new.post_id,
        new.group_id,
        window.begin,
        window.end,
        new.min_gap_s,
        new.max_lateness_s,
        new.seed,
        new.schedule_id,
    )
    await create_publications(
        tx,
        drafts,
        user_id=user_id,
        post_id=new.post_id,
        distribution_id=distribution_id,
        planned=True,
        max_lateness_s=new.max_lateness_s,
        rescue_after_s=rescue_after_s,
    )
    return distribution_id
