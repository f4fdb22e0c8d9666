"""Plans of distributions: who publishes when within a window. Pure: the same input gives the same plan."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.errors import InstaDistroError
from shared.publications.create import Draft


class PlanError(InstaDistroError):
    """The window cannot hold the publications. Make it longer, or the gap or the group smaller."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """A span of time; both ends aware and inclusive."""

    begin: datetime
    end: datetime


def plan_distribution(account_ids: Sequence[UUID], *, window: Window, min_gap_s: float, seed: int) -> list[Draft]:
    """Spread accounts over a window.

    Each account gets a slot of equal length, and within it a moment drawn from the seed, so that neither the order nor
    the seconds look like a list worked through, and yet two publications are never closer than the gap.

    Args:
        account_ids: who takes part; the seed decides their order.
        window: when.
        min_gap_s: least seconds between two publications.
        seed: makes the plan repeatable.

    Raises:
        PlanError: the gap does not fit into the window this often.
    """
    span_s = (window.end - window.begin).total_seconds()
    count = len(account_ids)
    if (count - 1) * min_gap_s > span_s:
        raise PlanError(
            f"{count} accounts with {min_gap_s:g} s between them need {(count - 1) * min_gap_s:g} s; "
            f"the window has {span_s:g} s."
        )
    dice = random.Random(seed)  # noqa: S311 - a repeatable plan, no secret
    order = sorted(account_ids)
    dice.shuffle(order)
    # The gaps are set aside first and only what they leave free is shared out, so no draw can break a gap.
    slack_s = span_s - (count - 1) * min_gap_s
    offsets = [(index + dice.random()) * slack_s / count for index in range(count)]
    return [
        Draft(account_id=account_id, publish_at=window.begin + timedelta(seconds=offset + index * min_gap_s))
        for index, (account_id, offset) in enumerate(zip(order, offsets, strict=True))
    ]
