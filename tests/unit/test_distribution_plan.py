"""Plans of distributions, for any group, window, gap, seed, and whatever the accounts can take."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.publications import Candidate, PlanError, Window, plan_distribution

BEGIN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(hours=24)


def account(number):
    return UUID(int=number + 1)


def candidates(count, **more):
    return [Candidate(account_id=account(number), **more) for number in range(count)]


def window(seconds):
    return Window(begin=BEGIN, end=BEGIN + timedelta(seconds=seconds))


def in_hours(hours):
    return BEGIN + timedelta(hours=hours)


@st.composite
def busy_candidates(draw):
    """Accounts that publish other things too, with gaps and caps."""
    hours = st.lists(st.floats(-24, 96), max_size=8)
    return [
        Candidate(
            account_id=account(number),
            taken=sorted(in_hours(hour) for hour in draw(hours)),
            gap_s=draw(st.sampled_from([0, 60, 7200])),
            cap=draw(st.sampled_from([None, 0, 1, 2, 3, 20])),
            not_before=draw(st.sampled_from([None, in_hours(-1), in_hours(20)])),
        )
        for number in range(draw(st.integers(1, 12)))
    ]


@given(
    count=st.integers(1, 200),
    span_s=st.integers(0, 10**6),
    gap_share=st.floats(0, 0.999),
    seed=st.integers(0, 2**63 - 1),
)
def test_a_plan_keeps_window_and_gap_and_names_everybody_once(count, span_s, gap_share, seed):
    """Every account exactly once, inside the window, never closer than the gap."""
    gap_s = int(gap_share * span_s / max(count - 1, 1))

    plan = plan_distribution(candidates(count), window=window(span_s), min_gap_s=gap_s, seed=seed)

    times = [draft.publish_at for draft in plan.drafts]
    assert sorted(draft.account_id for draft in plan.drafts) == [account(number) for number in range(count)]
    assert (plan.full, plan.crowded) == ([], [])
    assert times == sorted(times)
    assert times[0] >= BEGIN
    assert times[-1] <= BEGIN + timedelta(seconds=span_s)
    assert all(later - earlier >= timedelta(seconds=gap_s) for earlier, later in pairwise(times))


@given(
    group=busy_candidates(), span_h=st.integers(0, 72), gap_s=st.sampled_from([0, 60, 3600]), seed=st.integers(0, 99)
)
def test_no_account_gets_a_moment_that_it_cannot_take(group, span_h, gap_s, seed):
    """Window, gap, the accounts' own gaps, caps and quotas all hold, and whoever is left out is named."""
    try:
        plan = plan_distribution(group, window=window(span_h * 3600), min_gap_s=gap_s, seed=seed)
    except PlanError:
        assume(False)  # there is no plan to look at
        raise

    times = [draft.publish_at for draft in plan.drafts]
    named = [draft.account_id for draft in plan.drafts] + plan.full + plan.crowded
    assert sorted(named) == [candidate.account_id for candidate in group]
    assert all(later - earlier >= timedelta(seconds=gap_s) for earlier, later in pairwise(times))
    known = {candidate.account_id: candidate for candidate in group}
    for draft in plan.drafts:
        candidate, at = known[draft.account_id], draft.publish_at
        assert BEGIN <= at <= in_hours(span_h)
        assert candidate.not_before is None or at >= candidate.not_before
        assert all(abs(at - other) >= timedelta(seconds=candidate.gap_s) for other in candidate.taken)
        spans = [first for first in (*candidate.taken, at) if at - DAY < first <= at]
        busiest = max(sum(first <= other < first + DAY for other in (*candidate.taken, at)) for first in spans)
        assert candidate.cap is None or busiest <= candidate.cap


def test_the_same_seed_gives_the_same_plan_whatever_the_order_of_accounts():
    """A preview shows what the run will do."""
    plan = plan_distribution(candidates(25), window=window(10), min_gap_s=0.1, seed=7)

    again = plan_distribution(candidates(25)[::-1], window=window(10), min_gap_s=0.1, seed=7)

    assert plan == again
    assert plan != plan_distribution(candidates(25), window=window(10), min_gap_s=0.1, seed=8)


def test_a_window_that_cannot_hold_the_gaps_is_refused_with_the_numbers():
    """The error says what is needed and what is there."""
    with pytest.raises(PlanError, match=r"25 accounts with 1 s between them need 24 s; the window has 10 s\."):
        plan_distribution(candidates(25), window=window(10), min_gap_s=1, seed=1)


def test_an_account_that_can_only_publish_late_gets_a_late_moment():
    """A used up quota moves one account, and nobody is left out while the window has room."""
    late = Candidate(account_id=account(0), not_before=in_hours(9))

    plan = plan_distribution([late, *candidates(5)[1:]], window=window(36_000), min_gap_s=600, seed=1)

    assert len(plan.drafts) == 5
    [moment] = [draft.publish_at for draft in plan.drafts if draft.account_id == account(0)]
    assert moment >= in_hours(9)


def test_accounts_that_wait_for_the_same_moment_fill_what_is_left_to_the_last_place():
    """Three accounts, free for the last two hours, an hour apart: exactly three moments, and all are used."""
    group = candidates(3, not_before=in_hours(8))

    plan = plan_distribution(group, window=window(36_000), min_gap_s=3600, seed=5)

    assert [draft.publish_at for draft in plan.drafts] == [in_hours(8), in_hours(9), in_hours(10)]


def test_whoever_finds_no_room_is_told_apart():
    """Those whose own limits close the window, and those for whom the others leave no moment."""
    full = Candidate(account_id=account(9), cap=1, taken=[in_hours(5)])
    group = [full, *candidates(2, not_before=in_hours(10))]

    plan = plan_distribution(group, window=window(36_000), min_gap_s=60, seed=5)

    assert len(plan.drafts) == 1
    assert (plan.full, len(plan.crowded)) == ([account(9)], 1)
