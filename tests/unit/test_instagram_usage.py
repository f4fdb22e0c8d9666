from __future__ import annotations

import json

import pytest

from shared.instagram import Usage
from shared.instagram.usage import read_usage

APP, ACCOUNT = "X-App-Usage", "X-Business-Use-Case-Usage"


def of_account(*entries, key="999"):
    return {ACCOUNT: json.dumps({key: list(entries)})}


@pytest.mark.parametrize(
    ("headers", "usage"),
    [
        ({APP: '{"call_count": 28, "total_time": 31, "total_cputime": 25}'}, Usage(app_percent=31)),
        ({APP: '{"call_volume": 7, "cpu_time": 9}'}, Usage(app_percent=9)),
        ({APP: '{"call_volume": 0, "cpu_time": 0}'}, Usage(app_percent=0)),
        ({APP: '{"call_count": 28.2}'}, Usage(app_percent=29)),
        (
            of_account(
                {
                    "type": "instagram",
                    "call_count": 100,
                    "total_cputime": 25,
                    "total_time": 120,
                    "estimated_time_to_regain_access": 19,
                }
            ),
            Usage(account_percent=120, regain_s=1140),
        ),
        (
            of_account({"type": "instagram", "call_volume": 5, "estimated_time_to_regain_access": 0}),
            Usage(account_percent=5, regain_s=0),
        ),
        (
            of_account(
                {"type": "messenger", "call_count": 99, "estimated_time_to_regain_access": 60},
                {"type": "instagram", "call_count": 3},
                {"type": "instagram", "total_time": 8},
            ),
            Usage(account_percent=8),
        ),
        (of_account({"type": "pages", "call_count": 99}), None),
    ],
)
def test_both_headers_are_read_in_both_styles(headers, usage):
    """The highest share counts, of the account's own kind only, and minutes become seconds."""
    assert read_usage(headers) == usage


def test_the_account_is_found_under_any_key():
    """All lists of the header are looked through: the id it is under may be another than the account's."""
    header = {str(number): [{"type": "instagram", "call_count": number}] for number in range(32)}

    assert read_usage({ACCOUNT: json.dumps(header)}) == Usage(account_percent=31)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "28",
        "no json",
        "[]",
        "[" * 100_000,
        '{"call_count": "many"}',
        '{"call_count": true}',
        '{"call_count": NaN}',
        '{"call_count": Infinity}',
        '{"call_count": -5}',
        '{"call_count": 1' + "0" * 400 + "}",
        '{"1": "instagram"}',
        '{"1": ["instagram"]}',
        '{"1": [{"type": "instagram"}]}',
        '{"1": [{"type": "instagram", "call_count": null}]}',
    ],
)
def test_what_cannot_be_read_says_nothing(text):
    """A malformed header is as good as none; it never fails the answer it came with."""
    assert read_usage({APP: text, ACCOUNT: text}) is None


def test_one_bad_header_leaves_the_other():
    """Each header speaks for itself."""
    assert read_usage({APP: "{", ACCOUNT: '{"1": [{"type": "instagram", "call_count": 4}]}'}) == Usage(
        account_percent=4
    )
