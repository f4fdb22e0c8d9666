from __future__ import annotations

import pytest

from shared.pagination import (
    PAGINATION_LIMITS,
    PaginationError,
    create_paginated_response,
    parse_cursor_pagination_params,
    parse_pagination_params,
    sanitize_limit,
    sanitize_page,
)

KEY = b"k" * 32


def parse_cursor_params(query):
    return parse_cursor_pagination_params(query, scope="", secret=KEY)


def test_limits_are_the_documented_ones():
    """A page holds 50 rows unless asked, 1 at least and 100 at most."""
    assert (PAGINATION_LIMITS.MIN, PAGINATION_LIMITS.DEFAULT, PAGINATION_LIMITS.MAX) == (1, 50, 100)


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        (None, 50),
        ("", 50),
        ("ten", 50),
        ("1e1", 50),
        ("１０", 50),
        (float("nan"), 50),
        (True, 50),
        ([10], 50),
        (10, 10),
        ("10", 10),
        (" 10 ", 10),
        (10.9, 10),
        (0, 1),
        ("-5", 1),
        ("-" + "9" * 9000, 1),
        (101, 100),
        ("9" * 9000, 100),
    ],
)
def test_any_limit_becomes_a_safe_one(given, limit):
    """Numbers are brought into bounds, and what is no number is the default."""
    assert sanitize_limit(given) == limit


@pytest.mark.parametrize(("given", "page"), [(None, 1), ("x", 1), (0, 1), ("-3", 1), ("7", 7), ("9" * 99, 1_000_000)])
def test_any_page_becomes_a_safe_one(given, page):
    """A page is 1 at least and never so far that its offset overflows."""
    assert sanitize_page(given) == page


@pytest.mark.parametrize("text", ["", "ten", "1.5", "1_0", "0x10", "10;", "１０", "--1", " 10"])
@pytest.mark.parametrize("parse", [parse_pagination_params, parse_cursor_params])
def test_a_limit_that_is_no_number_is_refused(parse, text):
    """A client is told about a limit that cannot be read, rather than given another."""
    with pytest.raises(PaginationError) as refused:
        parse({"limit": text})

    assert refused.value.code == "invalid_limit"


def test_a_limit_out_of_bounds_is_brought_back():
    """A client that asks for too many rows gets as many as allowed."""
    assert parse_cursor_pagination_params({"limit": "5000"}, scope="", secret=KEY).limit == 100
    assert parse_cursor_pagination_params({"limit": "0"}, scope="", secret=KEY).limit == 1
    assert parse_cursor_pagination_params({}, scope="", secret=KEY).limit == 50


def test_numbered_pages_know_their_offset():
    """The third page of twenty begins after forty rows; a page that is no number is refused."""
    params = parse_pagination_params({"page": "3", "limit": "20"})

    assert (params.page, params.limit, params.offset) == (3, 20, 40)
    with pytest.raises(PaginationError) as refused:
        parse_pagination_params({"page": "three"})
    assert refused.value.code == "invalid_page"


@pytest.mark.parametrize(
    ("total", "page", "pages", "more"), [(0, 1, 0, False), (40, 2, 2, False), (41, 2, 3, True), (41, 9, 3, False)]
)
def test_numbered_pages_say_what_is_left(total, page, pages, more):
    """The answer counts its pages and says whether another one follows."""
    answer = create_paginated_response(["row"], total, page, 20)

    assert answer == {
        "data": ["row"],
        "pagination": {"page": page, "limit": 20, "total": total, "total_pages": pages, "has_more": more},
    }
