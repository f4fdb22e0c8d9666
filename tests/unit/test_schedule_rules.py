"""Which rules of schedules can be used, and how they begin and end."""

import sys
import zoneinfo
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice

import pytest

from shared.schedules import (
    Gap,
    Overlap,
    RuleError,
    ScheduleRule,
    Slot,
    Weekday,
    check_rule,
    next_at,
    occurrences,
    read_rule,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAILY = ScheduleRule(
    cron="30 9 * * *",
    slots=None,
    timezone="Europe/Berlin",
    dst_gap=Gap.SHIFT,
    dst_overlap=Overlap.FIRST,
    starts_at=None,
    ends_at=None,
)
MONDAY = Slot(weekday=Weekday.MON, time=time(9, 30))

REFUSED = [
    ({"cron": None}, "cron", "Give either cron or slots."),
    ({"slots": (MONDAY,)}, "cron", "Give either cron or slots."),
    ({"cron": ""}, "cron", "it must have five fields"),
    ({"cron": "0 30 9 * * *"}, "cron", "it must have five fields"),
    ({"cron": "@daily"}, "cron", "it must have five fields"),
    ({"cron": "60 * * * *"}, "cron", "Bad minute"),
    ({"cron": "9" * 5000 + " * * * *"}, "cron", "at most 200 characters"),
    ({"cron": "\u0661 9 * * *"}, "cron", "Bad minute"),
    ({"cron": "0 0 30 2 *"}, "cron", "Bad day-of-month"),
    ({"cron": "0 0 */3 2 MON#5"}, "cron", "never due within eight years"),
    ({"cron": "* * * * *"}, "cron", "more often than every five minutes"),
    ({"cron": "*/4 * * * *"}, "cron", "more often than every five minutes"),
    ({"cron": "1,58 0,23 * * *"}, "cron", "more often than every five minutes"),
    ({"cron": None, "slots": ()}, "slots", "from 1 to 168 slots"),
    ({"cron": None, "slots": (MONDAY,) * 169}, "slots", "from 1 to 168 slots"),
    ({"cron": None, "slots": (MONDAY, MONDAY)}, "slots", "each slot once"),
    ({"cron": None, "slots": (replace(MONDAY, time=time(9, 30, 1)),)}, "slots", "whole minutes"),
    ({"cron": None, "slots": (replace(MONDAY, time=time(9, 30, tzinfo=UTC)),)}, "slots", "without an offset"),
    ({"cron": None, "slots": (MONDAY, replace(MONDAY, time=time(9, 34)))}, "slots", "more often than every five"),
    ({"ends_at": NOW}, "ends_at", "past"),
    ({"ends_at": NOW + HOUR}, "ends_at", "Nothing is due until ends_at"),
    ({"starts_at": NOW + 2 * HOUR, "ends_at": NOW + HOUR}, "ends_at", "ends before it begins"),
    ({"starts_at": NOW + timedelta(days=4000)}, "starts_at", "within the next eight years"),
    ({"starts_at": datetime(2030, 1, 1)}, "starts_at", "must have an offset"),  # noqa: DTZ001 - that is the fault
    *(
        ({"timezone": name}, "timezone", "use an IANA name such as Europe/Berlin")
        for name in ("Europe/Atlantis", "Europe", "", "../UTC", "/etc/localtime", "a\0b", "x" * 300, "localtime")
    ),
]


@pytest.mark.parametrize(("changes", "field", "text"), REFUSED)
def test_a_rule_that_cannot_be_used_is_refused_with_its_field(changes, field, text):
    """The text says what to write instead."""
    with pytest.raises(RuleError, match=r"[.]$") as refusal:
        check_rule(replace(DAILY, **changes), now=NOW)

    assert refusal.value.field == field
    assert text in str(refusal.value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cron": "*/5 * * * *"},
        {"cron": "0 0 29 2 *"},
        {"cron": "0 9 L * *"},
        {"cron": None, "slots": (MONDAY, replace(MONDAY, time=time(9, 35)))},
        # They meet at 3:30 of one night of the year; on the wall they are an hour apart.
        {"cron": "30 2,3 * * *"},
        {"timezone": "UTC"},
        {"starts_at": datetime(1, 1, 1, tzinfo=UTC), "ends_at": datetime(9999, 12, 31, tzinfo=UTC)},
    ],
)
def test_a_rule_that_can_be_used_is_accepted(changes):
    """Every five minutes, on leap days, on the last day of the month, from ever and for ever."""
    rule = replace(DAILY, **changes)

    check_rule(rule, now=NOW)

    assert next_at(rule, after=NOW) is not None


def test_it_begins_and_ends_at_the_moments_that_are_named():
    """Both belong to it; a due time that is `after` itself does not."""
    first = datetime(2026, 5, 5, 7, 30, tzinfo=UTC)
    rule = replace(DAILY, starts_at=first, ends_at=first + timedelta(days=2))

    due = [occurrence.due_at for occurrence in occurrences(rule, after=NOW)]

    assert due == [first + timedelta(days=number) for number in range(3)]
    assert next_at(rule, after=first) == due[1]
    assert next_at(rule, after=due[-1]) is None


def test_a_leap_day_is_found_across_the_years():
    """2100 is no leap year: eight years lie between two."""
    rule = replace(DAILY, cron="0 12 29 2 *", timezone="UTC")

    due = [
        occurrence.due_at.year for occurrence in islice(occurrences(rule, after=datetime(2095, 1, 1, tzinfo=UTC)), 2)
    ]

    assert due == [2096, 2104]


def test_times_end_with_the_calendar():
    """Nobody will see it, and nothing fails of it."""
    rule = replace(DAILY, cron=None, slots=(MONDAY,))

    assert len(list(occurrences(rule, after=datetime(9999, 11, 20, tzinfo=UTC)))) == 6


def test_a_zone_that_is_gone_from_the_data_is_said(tmp_path, monkeypatch):
    """It was there when the schedule was made: whoever computes it now tells a person."""
    assert next_at(DAILY, after=NOW) is not None
    monkeypatch.setitem(sys.modules, "tzdata.zoneinfo.Europe", None)
    zoneinfo.reset_tzpath(to=[tmp_path])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        with pytest.raises(RuleError, match="'Europe/Berlin' is no time zone known here") as refusal:
            next_at(DAILY, after=NOW)
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()

    assert refusal.value.field == "timezone"


def test_a_zone_that_the_machine_lacks_comes_from_the_package(tmp_path):
    """Slim images have no zones of their own."""
    zoneinfo.reset_tzpath(to=[tmp_path])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        due = next_at(DAILY, after=NOW)
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()

    assert due == datetime(2026, 5, 5, 7, 30, tzinfo=UTC)


def test_a_row_is_read_as_the_rule_it_keeps():
    """Slots stand there as JSON."""
    row = {
        "cron": None,
        "slots": '[{"weekday": "mon", "time": "09:30"}]',
        "timezone": "Europe/Berlin",
        "dst_gap": "skip",
        "dst_overlap": "both",
        "starts_at": NOW,
        "ends_at": None,
    }

    assert read_rule(row) == replace(
        DAILY, cron=None, slots=(MONDAY,), dst_gap=Gap.SKIP, dst_overlap=Overlap.BOTH, starts_at=NOW
    )


@pytest.mark.parametrize(
    "slots", ["[", '[{"weekday": "moonday", "time": "09:30"}]', '[{"weekday": "mon"}]', "[1]", "1"]
)
def test_a_row_that_cannot_be_read_is_said(slots):
    """Somebody wrote to the table by hand."""
    row = {"cron": None, "slots": slots, "timezone": "UTC", "dst_gap": "skip", "dst_overlap": "both"}

    with pytest.raises(RuleError, match="slots of the schedule cannot be read"):
        read_rule({**row, "starts_at": None, "ends_at": None})
