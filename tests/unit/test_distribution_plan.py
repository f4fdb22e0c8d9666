"""Plans of distributions, for any group, window, gap and seed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.publications import PlanError, Window, plan_distribution

BEGIN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def accounts(count):
    return [UUID(int=number + 1) for number in range(count)]


def window(seconds):
    return Window(begin=BEGIN, end=BEGIN + timedelta(seconds=seconds))


@given(
    count=st.integers(1, 200),
    span_s=st.integers(0, 10**6),
    gap_share=st.floats(0, 0.999),
    seed=st.integers(0, 2**63 - 1),
)
def test_a_plan_keeps_window_and_gap_and_names_everybody_once(count, span_s, gap_share, seed):
    """Every account exactly once, inside the window, never closer than the gap."""
    gap_s = gap_share * span_s / max(count - 1, 1)

    drafts = plan_distribution(accounts(count), window=window(span_s), min_gap_s=gap_s, seed=seed)

    times = [draft.publish_at for draft in drafts]
    tolerance = timedelta(microseconds=2)
    assert sorted(draft.account_id for draft in drafts) == accounts(count)
    assert times == sorted(times)
    assert times[0] >= BEGIN
    assert times[-1] <= BEGIN + timedelta(seconds=span_s) + tolerance
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(gap >= timedelta(seconds=gap_s) - tolerance for gap in gaps)


def test_the_same_seed_gives_the_same_plan_whatever_the_order_of_accounts():
    """A preview shows what the run will do."""
    plan = plan_distribution(accounts(25), window=window(10), min_gap_s=0.1, seed=7)

    again = plan_distribution(accounts(25)[::-1], window=window(10), min_gap_s=0.1, seed=7)

    assert plan == again
    assert plan != plan_distribution(accounts(25), window=window(10), min_gap_s=0.1, seed=8)


def test_a_window_that_cannot_hold_the_gaps_is_refused_with_the_numbers():
    """The error says what is needed and what is there."""
    with pytest.raises(PlanError, match=r"25 accounts with 1 s between them need 24 s; the window has 10 s\."):
        plan_distribution(accounts(25), window=window(10), min_gap_s=1, seed=1)
