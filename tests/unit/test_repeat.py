"""When a repeated job is due, and what fires of it when a scheduler comes late."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.jobs import Misfire, RepeatRule
from shared.jobs.recurring.plan import plan_firings
from shared.jobs.repeat import read_repeat

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURLY = 3_600_000

REFUSED = [
    ({}, 'repeat must have either "every" or "cron"'),
    ({"every": 5, "cron": "* * * * *"}, 'repeat must have either "every" or "cron"'),
    ({"evry": 5, "limit": 3}, "unknown key in repeat: evry, limit"),
    ({"every": 5, "misfire": "later"}, '"misfire" must be one of: skip, once, catch_up'),
    ({"every": 5, "zone": "UTC"}, '"zone" belongs to "cron"; a rhythm of "every" has none'),
    ({"every": 0}, '"every" must be from 1 ms to 366 days'),
    ({"every": -5}, '"every" must be from 1 ms to 366 days'),
    ({"every": timedelta(microseconds=400)}, '"every" must be from 1 ms to 366 days'),
    ({"every": timedelta(days=366, milliseconds=1)}, '"every" must be from 1 ms to 366 days'),
    ({"cron": ""}, "'' is no cron line: Wrong number of fields"),
    ({"cron": "* * * *"}, "'* * * *' is no cron line: Wrong number of fields"),
    ({"cron": "60 * * * *"}, "'60 * * * *' is no cron line: Bad minute"),
    ({"cron": "* * * * MOON"}, "'* * * * MOON' is no cron line: Bad day-of-week"),
    ({"cron": "0 0 30 2 *"}, "'0 0 30 2 *' is no cron line: Bad day-of-month"),
    # The fifth Monday of a February is its 29th, which "*/3" leaves out.
    ({"cron": "0 0 */3 2 MON#5"}, "'0 0 */3 2 MON#5' never comes due"),
    *(
        (
            {"cron": "* * * * *", "zone": zone},
            f"{zone!r} is no time zone known here; use an IANA name such as Europe/Berlin",
        )
        for zone in ("Europe/Atlantis", "Europe", "", "../UTC", "/etc/localtime", "a\0b", "x" * 300)
    ),
]

aware_times = st.datetimes(datetime(2000, 1, 1), datetime(2080, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))  # noqa: DTZ001
lines = st.sampled_from(
    [
        "* * * * *",
        "*/7 * * * *",
        "30 2 * * *",
        "0 1,2,3 * * *",
        "15 */2 * * *",
        "59 23 L * *",
        "0 0 29 2 *",
        "20 30 2 * * *",
    ]
)
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns", "Asia/Gaza"]
)


def times(cron, zone, start, count):
    """The next due times of a cron line, one after the other as a scheduler computes them, as UTC texts."""
    rule, found = RepeatRule(cron=cron, zone=zone), [datetime.fromisoformat(start)]
    for _ in range(count):
        found.append(rule.next_after(found[-1], found[-1]))
    return [time.strftime("%m-%d %H:%M") for time in found[1:]]


@pytest.mark.parametrize(
    ("repeat", "rule"),
    [
        ({"every": 1}, RepeatRule(every_ms=1)),
        ({"every": 366 * 24 * HOURLY}, RepeatRule(every_ms=366 * 24 * HOURLY)),
        ({"every": timedelta(minutes=1.5)}, RepeatRule(every_ms=90_000)),
        ({"every": 5, "misfire": "skip"}, RepeatRule(every_ms=5, misfire=Misfire.SKIP)),
        ({"cron": "0 9 * * MON-FRI"}, RepeatRule(cron="0 9 * * MON-FRI", zone="UTC")),
        (
            {"cron": "30 0 9 1 * *", "zone": "Asia/Kolkata", "misfire": "catch_up"},
            RepeatRule(cron="30 0 9 1 * *", zone="Asia/Kolkata", misfire=Misfire.CATCH_UP),
        ),
    ],
    ids=["1 ms", "366 days", "timedelta", "every and misfire", "cron in UTC", "cron with seconds, zone and misfire"],
)
def test_a_rule_is_read_as_it_is_said(repeat, rule):
    """`every` in milliseconds or as timedelta, or `cron` with a zone; late firings are made up for by one."""
    assert read_repeat(repeat) == rule


@pytest.mark.parametrize(("repeat", "text"), REFUSED, ids=[repr(repeat)[:60] for repeat, _ in REFUSED])
def test_what_cannot_be_meant_is_refused_with_what_to_change(repeat, text):
    """A rule that can never come due is told at once, not by a job that never runs."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole text is compared
        read_repeat(repeat)

    assert str(refused.value) == text


def test_a_number_beyond_all_reason_in_a_cron_line_is_the_line_s_fault():
    """The error names the line, not the zone."""
    with pytest.raises(ValueError, match="is no cron line"):
        read_repeat({"cron": f"{'9' * 5000} * * * *", "zone": "Europe/Berlin"})


def test_a_period_beyond_the_calendar_is_an_error_like_any_other():
    """A row written by hand stops itself alone."""
    with pytest.raises(ValueError, match="9000000000000000000 ms reach beyond the calendar"):
        RepeatRule(every_ms=9_000_000_000_000_000_000).next_after(NOON, NOON)


def test_a_rhythm_does_not_drift_over_a_hundred_thousand_late_firings():
    """Each due time is counted from the one before, not from when its firing came."""
    rule, due = RepeatRule(every_ms=900_000), NOON
    for number in range(100_000):
        due = rule.next_after(due, due + timedelta(milliseconds=number % 800_000))

    assert due == NOON + 100_000 * timedelta(minutes=15)


@given(due=aware_times, late=st.timedeltas(timedelta(0), timedelta(days=4000)), every_ms=st.integers(1, 10**10))
def test_the_next_due_time_of_a_rhythm_is_the_first_on_its_grid(due, late, every_ms):
    """Strictly later than the last one and than now, and no period further than it must be."""
    now, every = due + late, timedelta(milliseconds=every_ms)

    found = RepeatRule(every_ms=every_ms).next_after(due, now)

    assert found > now
    assert found - every <= now
    assert (found - due) % every == timedelta(0)


@settings(deadline=None)  # a leap day is years away
@given(cron=lines, zone=zones, due=aware_times, late=st.timedeltas(timedelta(0), timedelta(days=400)))
@example(
    cron="30 2 * * *", zone="Europe/Berlin", due=datetime(2026, 10, 25, 0, 30, tzinfo=UTC), late=timedelta(minutes=40)
)
def test_the_next_due_time_of_a_cron_line_is_strictly_later_whatever_clocks_do(cron, zone, due, late):
    """Never a due time that has passed already, not even in the second run of a doubled hour."""
    found = RepeatRule(cron=cron, zone=zone).next_after(due, due + late)

    assert found > due + late
    assert found.tzinfo is UTC


@settings(deadline=None)  # a leap day is years away
@given(cron=lines, zone=zones, now=aware_times, earlier=st.timedeltas(timedelta(seconds=1), timedelta(days=2)))
def test_a_cron_line_names_the_same_due_times_whenever_it_is_asked(cron, zone, now, earlier):
    """Two schedulers that ask at different moments agree on what comes next."""
    rule = RepeatRule(cron=cron, zone=zone)
    asked_early = rule.first_after(now - earlier)
    assume(asked_early > now)

    assert rule.first_after(now) == asked_early


@pytest.mark.parametrize(
    ("cron", "zone", "start", "expected"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00Z", ["03-28 01:30", "03-29 01:00", "03-30 00:30"]),
        ("30 2 * * *", "America/New_York", "2026-03-07T00:00Z", ["03-07 07:30", "03-08 07:00", "03-09 06:30"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T20:00Z", ["10-03 15:30", "10-04 15:15", "10-05 15:15"]),
        ("0 * * * *", "Europe/Berlin", "2026-03-28T23:30Z", ["03-29 00:00", "03-29 01:00", "03-29 02:00"]),
        ("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["03-30 00:00", "03-30 00:30", "03-31 00:00"]),
        ("0 30 2 * * *", "Europe/Berlin", "2026-03-27T12:00Z", ["03-28 01:30", "03-30 00:30", "03-31 00:30"]),
    ],
    ids=["Berlin", "New York", "Lord Howe, half an hour", "every hour", "a star minute", "with seconds"],
)
def test_a_due_time_in_the_gap_comes_at_its_end_or_by_a_star_not_at_all(cron, zone, start, expected):
    """Clocks go forward: a job of one time a day runs once that day too; what runs by the clock skips what it skips."""
    assert times(cron, zone, start, 3) == expected


@pytest.mark.parametrize(
    ("cron", "zone", "start", "expected"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["10-25 00:30", "10-26 01:30"]),
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00Z", ["11-01 05:30", "11-02 06:30"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00Z", ["04-04 14:45", "04-05 15:15"]),
        ("0 * * * *", "Europe/Berlin", "2026-10-24T23:30Z", ["10-25 00:00", "10-25 01:00", "10-25 02:00"]),
        ("*/30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["10-25 00:00", "10-25 00:30", "10-25 01:00"]),
        ("0 30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["10-25 00:30", "10-25 01:30", "10-26 01:30"]),
    ],
    ids=["Berlin", "New York", "Lord Howe, half an hour", "every hour", "a star minute", "with seconds"],
)
def test_a_doubled_due_time_comes_the_first_time_only_or_by_a_star_both_times(cron, zone, start, expected):
    """Clocks go back: a job of one time a day runs once that day too; what runs by the clock runs in both hours."""
    assert times(cron, zone, start, len(expected)) == expected


def test_a_zone_of_a_half_hour_offset_is_kept():
    """Half past nine in Kolkata is four o'clock in UTC, all year."""
    assert times("30 9 * * *", "Asia/Kolkata", "2026-05-04T12:00Z", 2) == ["05-05 04:00", "05-06 04:00"]


@pytest.mark.parametrize("misfire", Misfire)
@pytest.mark.parametrize("late_s", [0, 1, 60], ids=["at once", "a second late", "a minute late"])
def test_what_is_not_missed_fires_whatever_the_policy(misfire, late_s):
    """A minute is what a scheduler's restart may take."""
    rule = RepeatRule(every_ms=HOURLY, misfire=misfire)

    plan = plan_firings(rule, due=NOON, now=NOON + timedelta(seconds=late_s), most=10)

    assert (plan.dues, plan.next_due_at, plan.missed) == ([NOON], NOON + HOUR, 0)


@pytest.mark.parametrize(
    ("misfire", "dues", "missed"),
    [
        (Misfire.SKIP, [], 1),
        (Misfire.ONCE, [NOON], 1),
        (Misfire.CATCH_UP, [NOON, NOON + HOUR, NOON + 2 * HOUR], 3),
    ],
)
def test_what_was_slept_through_fires_by_its_policy(misfire, dues, missed):
    """Not at all, once, or once for each; and in all cases goes on where the grid does."""
    rule = RepeatRule(every_ms=HOURLY, misfire=misfire)

    plan = plan_firings(rule, due=NOON, now=NOON + 2 * HOUR + timedelta(minutes=5), most=10)

    assert (plan.dues, plan.next_due_at, plan.missed) == (dues, NOON + 3 * HOUR, missed)


def test_a_single_due_time_that_is_over_a_minute_late_is_missed():
    """Where only what is on time counts, yesterday's newsletter does not go out today."""
    rule = RepeatRule(every_ms=HOURLY, misfire=Misfire.SKIP)

    plan = plan_firings(rule, due=NOON, now=NOON + timedelta(seconds=61), most=10)

    assert (plan.dues, plan.next_due_at, plan.missed) == ([], NOON + HOUR, 1)


@pytest.mark.parametrize(
    "rule", [RepeatRule(every_ms=HOURLY), RepeatRule(cron="0 * * * *", zone="UTC")], ids=["every", "cron"]
)
def test_the_newest_of_many_fires_if_it_is_not_late_itself(rule):
    """Skipping drops what was missed, and nothing else."""
    skipping = RepeatRule(every_ms=rule.every_ms, cron=rule.cron, zone=rule.zone, misfire=Misfire.SKIP)

    plan = plan_firings(skipping, due=NOON, now=NOON + 5 * HOUR + timedelta(seconds=30), most=10)

    assert (plan.dues, plan.next_due_at, plan.missed) == ([NOON + 5 * HOUR], NOON + 6 * HOUR, 1)


def test_a_rhythm_quicker_than_the_sweeps_still_fires_when_late_firings_are_skipped():
    """Each sweep comes after several due times; the newest of them is always in time."""
    rule = RepeatRule(every_ms=5, misfire=Misfire.SKIP)

    plan = plan_firings(rule, due=NOON, now=NOON + timedelta(milliseconds=23), most=10)

    assert len(plan.dues) == 1
    assert plan.next_due_at == NOON + timedelta(milliseconds=25)


def test_a_long_sleep_is_caught_up_in_bounded_steps_that_leave_nothing_out():
    """A week of minutes is no one transaction; the steps follow one another until now is reached."""
    rule, now, due = RepeatRule(every_ms=60_000, misfire=Misfire.CATCH_UP), NOON + 7 * HOUR, NOON
    fired: list[datetime] = []
    missed = 0

    while due <= now:
        plan = plan_firings(rule, due=due, now=now, most=100)
        assert 1 <= len(plan.dues) <= 100
        fired, missed, due = fired + plan.dues, missed + plan.missed, plan.next_due_at

    assert fired == [NOON + timedelta(minutes=minute) for minute in range(7 * 60 + 1)]
    assert missed == 7 * 60
