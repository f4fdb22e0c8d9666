"""The gateway's rules that need no server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.api.accounts.check_row import RowFaultsError, check_row
from services.api.http import ProblemError, aware
from services.api.http.problems import KINDS, problem_of_status
from services.api.posts.check_caption import check_caption
from services.api.posts.derive_status import PostStatus, derive_status
from services.api.tags import clean_tags

ROW = {"username": "cafe", "instagram_user_id": "1001", "access_token": "TOKEN-not-real"}


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({}, PostStatus.DRAFT),
        ({"scheduled": 0}, PostStatus.DRAFT),
        ({"scheduled": 2}, PostStatus.SCHEDULED),
        ({"scheduled": 1, "held": 1, "canceled": 1}, PostStatus.SCHEDULED),
        ({"scheduled": 1, "published": 1}, PostStatus.PUBLISHING),
        ({"publishing": 1}, PostStatus.PUBLISHING),
        ({"outcome_unknown": 1, "scheduled": 1}, PostStatus.PUBLISHING),
        ({"outcome_unknown": 1, "published": 9}, PostStatus.UNRESOLVED),
        ({"published": 3}, PostStatus.PUBLISHED),
        ({"published": 3, "canceled": 1}, PostStatus.PUBLISHED),
        ({"published": 3, "failed": 1}, PostStatus.PARTIAL),
        ({"published": 3, "missed": 1}, PostStatus.PARTIAL),
        ({"failed": 1, "missed": 1}, PostStatus.FAILED),
        ({"canceled": 2}, PostStatus.CANCELED),
    ],
)
def test_a_posts_status_follows_from_its_publications(counts, status):
    """Each mixture of states has one status."""
    assert derive_status(counts) is status


@pytest.mark.parametrize(
    ("caption", "codes"),
    [
        ("x" * 2200, []),
        ("x" * 2201, ["caption_too_long"]),
        ("\U0001f600" * 2200, []),
        ("#a" * 30, []),
        ("#a " * 31, ["too_many_hashtags"]),
        ("# " * 31, []),
        ("@a " * 20, []),
        ("@a " * 21, ["too_many_mentions"]),
        ("a@example.com " * 21, []),
        ("@a #a" * 500, ["caption_too_long", "too_many_hashtags"]),
    ],
)
def test_every_limit_of_a_caption_is_told(caption, codes):
    """A caption is told all its faults at once, and none that it has not."""
    assert [fault.code for fault in check_caption(caption, path="caption")] == codes


def test_tags_are_cleaned():
    """Blanks go, doubles go, the order stays."""
    assert clean_tags([" b", "a", "", "b ", "Ä"]) == ("b", "a", "Ä")


@pytest.mark.parametrize("tags", [["x" * 51], ["a;b"], ["a\nb"], ["a\x00"], [str(number) for number in range(21)]])
def test_tags_that_nobody_means_are_refused(tags):
    """Too long, too many, or with characters that no label has."""
    with pytest.raises(ValueError, match=r"tag"):
        clean_tags(tags)


def test_a_row_is_taken_as_it_is_meant():
    """Blanks around values and an @ before the name are no part of them; what is not said is None."""
    row = check_row({**ROW, "username": " @cafe ", "access_token": "  "}, line=2)

    assert (row.username, row.access_token, row.token_expires_at, row.tags) == ("cafe", None, None, None)


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"username": "c" * 31}, "username", "invalid_value"),
        ({"username": "café"}, "username", "invalid_value"),
        ({"username": None}, "username", "missing_field"),
        ({"instagram_user_id": "١٢٣"}, "instagram_user_id", "invalid_value"),
        ({"instagram_user_id": 1001}, "instagram_user_id", "invalid_value"),
        ({"access_token": "a\nb"}, "access_token", "invalid_value"),
        ({"access_token": ["a"]}, "access_token", "invalid_value"),
        ({"token_expires_at": "2030-01-01"}, "token_expires_at", "invalid_value"),
        ({"token_expires_at": "2030-01-01T00:00:00"}, "token_expires_at", "timezone_required"),
        ({"token_expires_at": "0001-01-01T00:00:00Z"}, "token_expires_at", "invalid_value"),
        ({"tags": [1]}, "tags", "invalid_value"),
        ({"tags": {"a": 1}}, "tags", "invalid_value"),
        ({"password": "x"}, "password", "unknown_field"),
        ({"proxy_id": "fast"}, "proxy_id", "invalid_value"),
        ({"protocol_id": "no such!"}, "protocol_id", "invalid_value"),
    ],
)
def test_a_fault_of_a_row_is_told_with_field_and_code(fields, field, code):
    """Whatever type a value has, the row is refused and says where."""
    with pytest.raises(RowFaultsError) as raised:
        check_row({**ROW, **fields}, line=7)

    assert [(fault.line, fault.field, fault.code) for fault in raised.value.faults] == [(7, field, code)]


@pytest.mark.parametrize("year", [1, 1969, 9001])
def test_years_that_nobody_means_are_refused(year):
    """Times at the ends of the calendar are refused before they overflow anywhere."""
    zone_time = datetime(year, 6, 1, tzinfo=UTC)

    with pytest.raises(ProblemError) as raised:
        aware(zone_time, path="publish_at")

    assert raised.value.code == "validation_failed"
    assert aware(zone_time.replace(year=2030) + timedelta(days=1), path="publish_at")


@pytest.mark.parametrize("status", [400, 402, 404, 405, 411, 413, 415, 417, 422, 431, 500, 501, 505])
def test_every_status_of_the_server_has_a_problem(status):
    """A bare status becomes a known code of its own class."""
    problem = problem_of_status(status)

    assert problem.code in KINDS
    assert problem.kind.status // 100 == status // 100
