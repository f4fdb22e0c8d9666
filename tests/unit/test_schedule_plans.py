"""What becomes of due times that have come, decided without a database."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.schedules.preview_times import preview_times
from shared.schedules import plan_occurrences, read_rule
from tests.wall_clock_oracle import ZONES, moments_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def schedule(**fields):
    """Daily at midnight in UTC, made until a week before noon."""
    usual = {
        "id": uuid4(),
        "user_id": uuid4(),
        "cron": "0 0 * * *",
        "slots": None,
        "timezone": "UTC",
        "dst_gap": "shift",
        "dst_overlap": "first",
        "starts_at": None,
        "ends_at": None,
        "misfire": "once",
        "max_lateness_s": None,
        "made_until": NOON - timedelta(days=7),
        "paused_at": None,
        "removed_at": None,
    }
    return usual | fields


def plan_all(row, *, now=NOON, most):
    """All goes until nothing is left, together."""
    planned = []
    while True:
        advance = plan_occurrences(row, now=now, most=most)
        planned += advance.occurrences
        if advance.is_all:
            return planned
        row = row | {"made_until": advance.made_until}


@pytest.mark.parametrize("most", [1, 2, 3, 6, 7, 8])
def test_however_they_are_parted_exactly_the_newest_is_made_up_for(most):
    """Seven midnights, a few at a time."""
    reasons = [one.reason for one in plan_all(schedule(), most=most)]

    assert reasons == ["superseded"] * 6 + [None]


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_what_the_clock_skips_is_never_the_newest(most):
    """The last that came is one of a gap: the one before it is made up for, wherever they are parted."""
    row = schedule(
        cron="30 2 * * *",
        timezone="Europe/Berlin",
        dst_gap="skip",
        made_until=datetime(2026, 3, 26, 12, tzinfo=UTC),
    )

    planned = plan_all(row, now=datetime(2026, 3, 29, 12, tzinfo=UTC), most=most)

    assert [one.reason for one in planned] == ["superseded", None, "dst_gap"]


@pytest.mark.parametrize(("misfire", "reasons"), [("once", ["superseded", "paused"]), ("skip", ["misfire"] * 2)])
def test_of_what_came_before_a_pause_nothing_is_made(misfire, reasons):
    """A due time at the very moment of the pause is before it."""
    paused_at = datetime(2026, 5, 27, tzinfo=UTC)

    advance = plan_occurrences(schedule(paused_at=paused_at, misfire=misfire), now=NOON, most=500)

    assert [one.reason for one in advance.occurrences] == reasons
    assert advance.made_until == paused_at
    assert advance.next_at == paused_at + timedelta(days=1)


def test_an_end_at_a_due_time_includes_it_and_a_begin_too():
    """Both are moments that belong to the schedule."""
    begin, end = datetime(2026, 5, 30, tzinfo=UTC), datetime(2026, 5, 31, tzinfo=UTC)

    advance = plan_occurrences(schedule(starts_at=begin, ends_at=end), now=NOON, most=500)

    assert [one.due_at for one in advance.occurrences] == [begin, end]
    assert advance.next_at is None


@pytest.mark.parametrize(
    ("zone", "day", "shifted"),
    [
        ("America/Sao_Paulo", datetime(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),  # noqa: DTZ001 - a day
        ("Africa/Cairo", datetime(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC)),  # noqa: DTZ001
        ("Asia/Beirut", datetime(2026, 3, 29), datetime(2026, 3, 28, 22, tzinfo=UTC)),  # noqa: DTZ001
    ],
)
@pytest.mark.parametrize("gap", ["shift", "skip"])
def test_a_midnight_that_the_clock_skips_belongs_to_its_day(zone, day, shifted, gap):
    """Where 23:59 is followed by 1:00, midnight comes at 1:00 of the same day, or has a row that says why not."""
    row = schedule(timezone=zone, dst_gap=gap, made_until=shifted - timedelta(hours=36))

    planned = plan_all(row, now=shifted + timedelta(hours=30), most=500)

    [one] = [one for one in planned if one.local_date == day.date()]
    assert (one.slot, one.due_at) == ("00:00", shifted)
    assert (one.reason == "dst_gap") == (gap == "skip")
    assert len({one.local_date for one in planned}) == len(planned)
    assert 2 <= len(planned) <= 3


@given(
    change=st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(st.just(zone), st.sampled_from(moments_of(zone)))),
    slots=st.sets(st.tuples(st.sampled_from(WEEKDAYS), st.integers(0, 287)), min_size=1, max_size=20),
    gap=st.sampled_from(["shift", "skip"]),
    overlap=st.sampled_from(["first", "second", "both"]),
    sweeps_h=st.lists(st.integers(0, 96), max_size=6),
    most=st.integers(1, 9),
)
def test_what_is_made_is_what_the_preview_showed(change, slots, gap, overlap, sweeps_h, most):
    """Whenever it is swept around a change of the clock, and however few are made at once."""
    zone, moment = change
    begin, end = moment - timedelta(hours=48), moment + timedelta(hours=48)
    times = [{"weekday": day, "time": f"{number // 12:02}:{number % 12 * 5:02}"} for day, number in slots]
    rule = {"cron": None, "slots": json.dumps(times), "timezone": zone, "dst_gap": gap, "dst_overlap": overlap}
    row = schedule(**rule, made_until=begin)
    preview = asyncio.run(preview_times(read_rule(row), now=begin, count=100))

    made = []
    for hours in [*sorted(sweeps_h), 96]:
        while True:
            advance = plan_occurrences(row, now=begin + timedelta(hours=hours), most=most)
            made += [(one.local_date, one.slot, one.due_at, one.reason == "dst_gap") for one in advance.occurrences]
            row = row | {"made_until": advance.made_until}
            if advance.is_all:
                break

    shown = [(one.local_date, one.slot, one.due_at, one.skipped) for one in preview.times if one.due_at <= end]
    assert made == shown
