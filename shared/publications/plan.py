"""Plans of distributions: who publishes when within a window. Pure: the same input gives the same plan."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.errors import InstaDistroError
from shared.publications.assign import assign_slots, fill_in
from shared.publications.create import Draft
from shared.publications.room import Candidate, find_free, micros


class PlanError(InstaDistroError):
    """The window cannot hold the publications. Make it longer, or the gap or the group smaller."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """A span of time; both ends aware and inclusive."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Who publishes when, and for whom the window has no room."""

    drafts: list[Draft]  # in the order of their times
    full: list[UUID]  # their gap, cap or quota closes the whole window
    crowded: list[UUID]  # when they could, others do: the distribution's gap leaves no room


def plan_distribution(candidates: Sequence[Candidate], *, window: Window, min_gap_s: float, seed: int) -> Plan:
    """Spread accounts over a window.

    Each account gets a slot of equal length, and within it a moment drawn from the seed, so that neither the order nor
    the seconds look like a list worked through, and yet two publications are never closer than the gap. Accounts that
    cannot take every moment get one they can take.

    Args:
        candidates: who takes part; the seed decides their order.
        window: when.
        min_gap_s: least seconds between two publications.
        seed: makes the plan repeatable.

    Raises:
        PlanError: the gap does not fit into the window this often.
    """
    dice = random.Random(seed)  # noqa: S311 - a repeatable plan, no secret
    order = sorted(candidates, key=lambda candidate: candidate.account_id)
    dice.shuffle(order)
    span, gap = micros(window.end - window.begin), round(min_gap_s * 1_000_000)
    open_to = {candidate.account_id: find_free(candidate, window.begin, span) for candidate in order}
    able = [account_id for account_id, spans in open_to.items() if spans]
    free = [open_to[account_id] for account_id in able]
    slots = _draw_slots(len(able), span=span, gap=gap, dice=dice)
    given = fill_in(assign_slots(slots, free), free, span=span, gap=gap, seed=seed)
    return Plan(
        drafts=[
            Draft(account_id=able[rank], publish_at=window.begin + timedelta(microseconds=moment))
            for rank, moment in sorted(given.items(), key=lambda entry: (entry[1], entry[0]))
        ],
        full=[account_id for account_id, spans in open_to.items() if not spans],
        crowded=[account_id for rank, account_id in enumerate(able) if rank not in given],
    )


def _draw_slots(count: int, *, span: int, gap: int, dice: random.Random) -> list[int]:
    needed = max(count - 1, 0) * gap
    if needed > span:
        raise PlanError(
            f"{count} accounts with {gap / 1e6:g} s between them need {needed / 1e6:g} s; "
            f"the window has {span / 1e6:g} s."
        )
    # The gaps are set aside first and only what they leave free is shared out, so no draw can break a gap.
    slack = span - needed
    return [int((index + dice.random()) * slack / count) + index * gap for index in range(count)]
