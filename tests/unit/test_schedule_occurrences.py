"""The due times of a rule, held against a clock that is read at every minute around every change of it."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.schedules import Gap, Occurrence, Overlap, ScheduleRule, Slot, Weekday, occurrences
from tests.wall_clock_oracle import DAY, MINUTE, ZONES, changes_of, expected, moments_of

WEEKDAYS = list(Weekday)
NIGHT = [(day, time(hour, minute)) for day in range(7) for hour in range(5) for minute in range(0, 60, 10)]
#: Cron lines with what they name, written out by hand.
LINES = {
    "30 2 * * *": [(day, time(2, 30)) for day in range(7)],
    "*/10 0-4 * * *": NIGHT,
    "15,45 1-3 * * SUN": [(6, time(hour, minute)) for hour in (1, 2, 3) for minute in (15, 45)],
    "0 */6 * * MON-FRI": [(day, time(hour)) for day in range(5) for hour in (0, 6, 12, 18)],
    "59 23 * * SAT,SUN": [(day, time(23, 59)) for day in (5, 6)],
}


def rule_of(zone, *, cron=None, slots=None, gap=Gap.SHIFT, overlap=Overlap.FIRST, **bounds):
    return ScheduleRule(
        cron=cron,
        slots=slots,
        timezone=zone,
        dst_gap=gap,
        dst_overlap=overlap,
        starts_at=bounds.get("starts_at"),
        ends_at=bounds.get("ends_at"),
    )


def between(rule, after, until):
    return list(takewhile(lambda occurrence: occurrence.due_at <= until, occurrences(rule, after=after)))


def of_days(rule, days):
    """All that the rule names on these local dates."""
    begin = datetime.combine(days[0], time(), tzinfo=UTC) - 2 * DAY
    found = between(rule, begin, begin + (len(days) + 4) * DAY)
    return [occurrence for occurrence in found if days[0] <= occurrence.local_date <= days[-1]]


def days_around(zone, change, days=1):
    middle = change.astimezone(ZoneInfo(zone)).date()
    return [middle + number * DAY for number in range(-days, days + 1)]


policies = st.tuples(st.sampled_from(Gap), st.sampled_from(Overlap))
slot_times = st.builds(time, st.sampled_from([0, 1, 2, 3, 4, 12, 23]), st.integers(0, 59))
slot_lists = st.lists(st.tuples(st.integers(0, 6), slot_times), min_size=1, max_size=30, unique=True)
changes = st.sampled_from(ZONES).flatmap(lambda zone: st.tuples(st.just(zone), st.sampled_from(moments_of(zone))))


def test_the_zones_change_as_the_tests_believe():
    """Without changes, the tests below would prove nothing."""
    counts = {zone: len(changes_of(zone)) for zone in ZONES}

    assert counts["Europe/Berlin"] == counts["America/New_York"] == counts["Australia/Lord_Howe"] == 32
    assert counts["Asia/Kolkata"] == 0
    assert counts["Africa/Casablanca"] >= 30
    assert counts["Pacific/Apia"] == 3


@pytest.mark.parametrize("gap", Gap)
@pytest.mark.parametrize("overlap", Overlap)
@pytest.mark.parametrize("zone", ZONES)
def test_every_change_from_2020_to_2035_is_read_as_the_clock_shows_it(zone, gap, overlap):
    """Every ten minutes of the nights around it come when they should, in order, by the policies."""
    rule = rule_of(zone, cron="*/10 0-4 * * *", gap=gap, overlap=overlap)

    wrong = [
        change
        for change in moments_of(zone)
        if of_days(rule, days_around(zone, change)) != expected(zone, change, NIGHT, gap=gap, overlap=overlap)
    ]

    assert wrong == []


@given(changes, policies, slot_lists)
def test_slots_come_as_the_clock_shows_them(change, policy, times):
    """Whatever the slots are, and whichever change they meet."""
    (zone, moment), (gap, overlap) = change, policy
    slots = tuple(Slot(weekday=WEEKDAYS[day], time=at) for day, at in times)

    found = of_days(rule_of(zone, slots=slots, gap=gap, overlap=overlap), days_around(zone, moment))

    assert found == expected(zone, moment, times, gap=gap, overlap=overlap)


@given(changes, policies, st.sampled_from(list(LINES)))
def test_cron_lines_come_as_the_clock_shows_them(change, policy, line):
    """A line means the wall times it names, with no habits of its own about changes of the clock."""
    (zone, moment), (gap, overlap) = change, policy

    found = of_days(rule_of(zone, cron=line, gap=gap, overlap=overlap), days_around(zone, moment))

    assert found == expected(zone, moment, LINES[line], gap=gap, overlap=overlap)


@given(changes, policies, st.sampled_from(list(LINES)), st.integers(-36 * 3600, 36 * 3600), st.integers(0, 90_000))
def test_it_may_begin_anew_at_any_moment(change, policy, line, off_s, earlier_s):
    """What is computed from later on is the end of what was computed before: a restart changes nothing."""
    (zone, moment), (gap, overlap) = change, policy
    rule = rule_of(zone, cron=line, gap=gap, overlap=overlap)
    later = moment + timedelta(seconds=off_s)
    until = moment + 3 * DAY

    whole = between(rule, later - timedelta(seconds=earlier_s), until)

    assert between(rule, later, until) == [occurrence for occurrence in whole if occurrence.due_at > later]


@pytest.mark.parametrize("zone", ZONES)
def test_it_may_begin_anew_at_each_minute_around_a_change(zone):
    """At the very minutes at which the clock jumps, and one microsecond beside them."""
    moment = moments_of(zone)[-1]
    rule = rule_of(zone, cron="*/10 0-4 * * *", overlap=Overlap.BOTH)
    until = moment + 6 * 60 * MINUTE
    whole = between(rule, moment - DAY, until)
    starts = [
        moment + number * 10 * MINUTE + beside
        for number in range(-12, 13)
        for beside in (timedelta(0), timedelta.resolution)
    ]

    wrong = [
        after for after in starts if between(rule, after, until) != [each for each in whole if each.due_at > after]
    ]

    assert wrong == []


@given(changes, policies, slot_lists)
def test_they_are_in_order_and_each_has_a_key_of_its_own(change, policy, times):
    """The key holds in the table, and the order lets a sweep stop at the first that is not due."""
    (zone, moment), (gap, overlap) = change, policy
    slots = tuple(Slot(weekday=WEEKDAYS[day], time=at) for day, at in times)

    found = between(rule_of(zone, slots=slots, gap=gap, overlap=overlap), moment - 7 * DAY, moment + 7 * DAY)

    keys = [(occurrence.local_date, occurrence.slot) for occurrence in found]
    order = [(occurrence.due_at, *key) for occurrence, key in zip(found, keys, strict=True)]
    assert len(set(keys)) == len(keys)
    assert order == sorted(order)


@given(changes, policies, slot_lists)
def test_two_are_closer_than_the_rule_names_only_where_the_clock_jumps(change, policy, times):
    """Where the clock runs plainly, two due times are as far apart as their wall times."""
    (zone, moment), (gap, overlap) = change, policy
    slots = tuple(Slot(weekday=WEEKDAYS[day], time=at) for day, at in times)
    rule = rule_of(zone, slots=slots, gap=gap, overlap=overlap)
    local = ZoneInfo(zone)

    for one, other in pairwise(between(rule, moment - 3 * DAY, moment + 3 * DAY)):
        if one.due_at.astimezone(local).utcoffset() == other.due_at.astimezone(local).utcoffset():
            walls = [wall_of(each) for each in (one, other)]
            is_plain = all(
                each.due_at.astimezone(local).replace(tzinfo=None) == wall
                for each, wall in zip((one, other), walls, strict=True)
            )
            assert not is_plain or other.due_at - one.due_at == walls[1] - walls[0]


def wall_of(occurrence):
    hour, minute = occurrence.slot.partition("/")[0].split(":")
    return datetime.combine(occurrence.local_date, time(int(hour), int(minute)))


def test_two_times_of_one_gap_stay_as_far_apart_as_they_are():
    """In Berlin, 2:15 and 2:45 of the last Sunday of March come at 3:15 and 3:45."""
    slots = tuple(Slot(weekday=Weekday.SUN, time=time(2, minute)) for minute in (15, 45))

    found = between(
        rule_of("Europe/Berlin", slots=slots),
        datetime(2026, 3, 28, tzinfo=UTC),
        datetime(2026, 3, 30, tzinfo=UTC),
    )

    assert [(each.slot, each.due_at) for each in found] == [
        ("02:15", datetime(2026, 3, 29, 1, 15, tzinfo=UTC)),
        ("02:45", datetime(2026, 3, 29, 1, 45, tzinfo=UTC)),
    ]


def test_a_day_that_a_zone_left_out_follows_the_policy():
    """Samoa had no 30 December 2011: its noon comes a day later, or not at all."""
    begin, end = datetime(2011, 12, 29, 23, tzinfo=UTC), datetime(2011, 12, 31, tzinfo=UTC)

    shifted = between(rule_of("Pacific/Apia", cron="0 12 * * *"), begin, end)
    skipped = between(rule_of("Pacific/Apia", cron="0 12 * * *", gap=Gap.SKIP), begin, end)

    noon = datetime(2011, 12, 30, 22, tzinfo=UTC)
    days = [datetime(2011, 12, day).date() for day in (30, 31)]  # noqa: DTZ001 - a date
    assert shifted == [Occurrence(local_date=day, slot="12:00", due_at=noon) for day in days]
    assert [each.skipped for each in skipped] == ["dst_gap", None]
