"""Warm-up: how much a day allows, when it counts, and when the next publication may go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.accounts import DayRecord, Slot, WarmUp, has_day_passed, next_day, next_slot

BEGAN = datetime(2026, 3, 1, 17, 30, tzinfo=UTC)
WARMUP = WarmUp(
    daily_caps=(2, 4, 20),
    min_gap_s=600,
    success_ratio=0.75,
    day=0,
    began_at=BEGAN,
    flagged_at=None,
    quota_total=None,
)
NOTHING = DayRecord(published=0, failed=0, unknown=0, under_way=0, last_sent_at=None)


def after(**span):
    return BEGAN + timedelta(**span)


def test_a_day_is_24_hours_from_when_it_began():
    """Whatever the calendar says: midnight gives no second helping."""
    assert not has_day_passed(WARMUP, now=after(hours=23, minutes=59))
    assert has_day_passed(WARMUP, now=after(hours=24))


def test_the_first_publication_begins_the_first_day():
    """Nothing is skipped, and nothing is judged that was not warm-up."""
    fresh = replace(WARMUP, began_at=None)

    assert has_day_passed(fresh, now=BEGAN)
    assert next_day(fresh, replace(NOTHING, published=3)) == 0


@pytest.mark.parametrize(
    ("record", "flagged_at", "day"),
    [
        pytest.param(replace(NOTHING, published=1), None, 1, id="clean"),
        pytest.param(replace(NOTHING, published=3, failed=1), None, 1, id="as many failures as are allowed"),
        pytest.param(replace(NOTHING, published=2, failed=1), None, 0, id="too many failures"),
        pytest.param(replace(NOTHING, published=2, unknown=1), None, 0, id="an unknown outcome is no success"),
        pytest.param(NOTHING, None, 0, id="nothing published"),
        pytest.param(replace(NOTHING, published=2), after(hours=3), 0, id="the owner was needed"),
        pytest.param(replace(NOTHING, published=2), after(hours=-3), 1, id="the owner was needed earlier"),
    ],
)
def test_a_day_counts_only_when_it_was_clean(record, flagged_at, day):
    """Otherwise the same day is repeated."""
    assert next_day(replace(WARMUP, flagged_at=flagged_at), record) == day


@pytest.mark.parametrize(
    "record",
    [
        replace(NOTHING, published=2),
        replace(NOTHING, published=1, unknown=1),
        replace(NOTHING, published=1, under_way=1),
    ],
)
def test_what_may_be_live_counts_towards_the_cap(record):
    """A cap that trusts in luck is none."""
    slot = next_slot(WARMUP, record, now=after(hours=2))

    assert slot == Slot(reason="warmup_cap", at=after(hours=24))


@pytest.mark.parametrize(
    ("caps", "used", "reason"),
    [
        pytest.param((4, 4, 4), 1, None, id="below the half"),
        pytest.param((4, 4, 4), 2, "health_cap", id="the half is used up"),
        pytest.param((4, 4, 4), 4, "warmup_cap", id="the whole is used up"),
        pytest.param((5, 5, 5), 2, "health_cap", id="half of an odd cap"),
        pytest.param((1, 1, 1), 0, None, id="one is always left"),
        pytest.param((1, 1, 1), 1, "warmup_cap", id="and no more than the protocol allows"),
    ],
)
def test_an_account_at_risk_has_half_of_its_days_cap(caps, used, reason):
    """The reason tells whether its health or its protocol is in the way."""
    slot = next_slot(
        replace(WARMUP, daily_caps=caps, is_halved=True), replace(NOTHING, published=used), now=after(hours=2)
    )

    assert slot == (None if reason is None else Slot(reason=reason, at=after(hours=24)))


def test_what_failed_leaves_its_place_to_another():
    """A cap is about what the platform sees."""
    assert next_slot(WARMUP, replace(NOTHING, published=1, failed=5), now=after(hours=2)) is None


def test_between_two_publications_the_gap_is_kept():
    """Counted from the newest publish call, of whatever day."""
    record = replace(NOTHING, published=1, last_sent_at=after(hours=1))

    assert next_slot(WARMUP, record, now=after(hours=1, minutes=9)) == Slot(
        reason="warmup_gap", at=after(hours=1, minutes=10)
    )
    assert next_slot(WARMUP, record, now=after(hours=1, minutes=10)) is None


@pytest.mark.parametrize(("quota_total", "cap"), [(None, 20), (100, 20), (15, 13), (2, 1), (0, 1)])
def test_a_cap_stays_below_the_platforms_own_quota(quota_total, cap):
    """Two places are left to people who post by hand, and one publication a day is always tried."""
    assert replace(WARMUP, day=2, quota_total=quota_total).cap == cap


def test_after_the_last_day_there_is_no_cap():
    """A protocol that became shorter is over as well."""
    assert [replace(WARMUP, day=day).is_over for day in (2, 3, 4)] == [False, True, True]
