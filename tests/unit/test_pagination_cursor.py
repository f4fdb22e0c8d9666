from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from shared.pagination import (
    Cursor,
    InvalidCursorError,
    SortColumn,
    SortDirection,
    build_cursor_query,
    create_cursor_paginated_response,
    cursor_scope,
    link_header,
    parse_cursor_pagination_params,
)
from shared.pagination.cursor import decode_cursor, encode_cursor

KEY = b"0123456789abcdef0123456789abcdef"
USER = UUID("018f0000-0000-7000-8000-00000000000a")
SCOPE = cursor_scope(user_id=USER, route="/v1/accounts", filters={"state": "ACTIVE"})
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ID = UUID("018f0000-0000-7000-8000-00000000000b")
FIRST, LAST = NOW.replace(year=2, tzinfo=None), NOW.replace(year=9998, tzinfo=None)
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
CURSORS = st.builds(
    Cursor,
    column=st.sampled_from(SortColumn),
    value=st.datetimes(FIRST, LAST, timezones=OFFSETS),
    id=st.uuids() | st.integers(0, 2**63 - 1),
    backward=st.booleans(),
    inclusive=st.booleans(),
)


@given(CURSORS, st.text(max_size=50))
def test_a_cursor_comes_back_as_it_went(cursor, scope):
    """Every place survives the way to the client and back, to the microsecond."""
    text = encode_cursor(cursor, scope=scope, secret=KEY)

    assert decode_cursor(text, scope=scope, secret=KEY) == cursor
    assert len(text) <= 128
    assert URL("/x").update_query(cursor=text).query_string == f"cursor={text}"


@given(CURSORS, st.data())
def test_a_cursor_that_was_changed_is_refused(cursor, data):
    """Whatever character is replaced, dropped or added, the cursor is refused."""
    text = encode_cursor(cursor, scope=SCOPE, secret=KEY)
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("AQgw-_b9!= %.é"))
    changed = data.draw(
        st.sampled_from(
            [
                text[:position] + other + text[position + 1 :],
                text[:position] + text[position + 1 :],
                text[:position] + other + text[position:],
                text[:position],
            ]
        )
    )

    if changed != text:
        with pytest.raises(InvalidCursorError):
            decode_cursor(changed, scope=SCOPE, secret=KEY)


@given(st.text(max_size=300))
def test_no_text_is_a_cursor_by_chance(text):
    """Arbitrary text is refused with the one error that clients know."""
    with pytest.raises(InvalidCursorError) as refused:
        parse_cursor_pagination_params({"cursor": text}, scope=SCOPE, secret=KEY)

    assert refused.value.code == "invalid_cursor"


@pytest.mark.parametrize(
    "scope",
    [
        cursor_scope(user_id=UUID(int=7), route="/v1/accounts", filters={"state": "ACTIVE"}),
        cursor_scope(user_id=USER, route="/v1/posts", filters={"state": "ACTIVE"}),
        cursor_scope(user_id=USER, route="/v1/accounts", filters={"state": "PAUSED"}),
        cursor_scope(user_id=USER, route="/v1/accounts"),
    ],
)
def test_a_cursor_serves_only_the_list_it_was_made_for(scope):
    """Another tenant's cursor, another route's or another filter's is refused; so is one under another key."""
    text = encode_cursor(Cursor(column=SortColumn.CREATED_AT, value=NOW, id=ID), scope=SCOPE, secret=KEY)

    with pytest.raises(InvalidCursorError):
        parse_cursor_pagination_params({"cursor": text}, scope=scope, secret=KEY)
    with pytest.raises(InvalidCursorError):
        parse_cursor_pagination_params({"cursor": text}, scope=SCOPE, secret=KEY[::-1])


def test_the_order_of_filters_does_not_matter():
    """The same filters in another order are the same list."""
    forth = cursor_scope(user_id=USER, route="/v1/posts", filters={"a": "1", "b": "2"})
    back = cursor_scope(user_id=USER, route="/v1/posts", filters={"b": "2", "a": "1"})

    assert forth == back != cursor_scope(user_id=USER, route="/v1/posts", filters={"a": '1"], ["b', "b": "2"})


def test_a_time_without_a_zone_makes_no_cursor():
    """A naive time is refused when the cursor is made, not when it comes back an hour off."""
    naive = datetime(2026, 1, 2)  # noqa: DTZ001 - the very thing that is refused

    with pytest.raises(ValueError, match="aware"):
        encode_cursor(Cursor(column=SortColumn.CREATED_AT, value=naive, id=ID), scope=SCOPE, secret=KEY)


def test_another_zone_is_the_same_place():
    """A place is a moment: its zone does not matter."""
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    texts = [
        encode_cursor(Cursor(column=SortColumn.CREATED_AT, value=value, id=ID), scope=SCOPE, secret=KEY)
        for value in (NOW, there)
    ]

    assert texts[0] == texts[1]


def test_the_first_page_needs_only_a_limit():
    """Without a cursor the statement sorts and asks for one row more than the page holds."""
    query = build_cursor_query("SELECT * FROM accounts WHERE user_id = $1;", None, 50)

    assert query.sql == (
        "SELECT * FROM (\nSELECT * FROM accounts WHERE user_id = $1\n) AS listed\n"
        "ORDER BY created_at DESC, id DESC\nLIMIT $2"
    )
    assert query.params == (51,)


@pytest.mark.parametrize(
    ("direction", "backward", "inclusive", "comparison", "order"),
    [
        (SortDirection.DESC, False, False, "<", "DESC"),
        (SortDirection.DESC, True, False, ">", "ASC"),
        (SortDirection.ASC, False, False, ">", "ASC"),
        (SortDirection.ASC, True, False, "<", "DESC"),
        (SortDirection.DESC, False, True, "<=", "DESC"),
    ],
)
def test_a_page_compares_whole_rows_in_its_direction(direction, backward, inclusive, comparison, order):
    """One row comparison serves each direction, numbered after the base's highest parameter wherever that stands."""
    cursor = Cursor(column=SortColumn.PUBLISH_AT, value=NOW, id=ID, backward=backward, inclusive=inclusive)
    base = "SELECT * FROM p WHERE a = $12 AND b = $3 AND c <> '$99' -- not $98\n"

    query = build_cursor_query(base, cursor, 10, SortColumn.PUBLISH_AT, direction)

    assert f"WHERE (publish_at, id) {comparison} ($13, $14)" in query.sql
    assert query.sql.endswith(f"ORDER BY publish_at {order}, id {order}\nLIMIT $15")
    assert query.params == (NOW, ID, 11)


def test_a_cursor_of_another_order_is_refused():
    """A place in a list by creation is no place in a list by publication."""
    with pytest.raises(InvalidCursorError):
        build_cursor_query("SELECT 1", Cursor(column=SortColumn.CREATED_AT, value=NOW, id=ID), 5, SortColumn.PUBLISH_AT)


@pytest.mark.parametrize(("column", "direction"), [("created_at; DROP TABLE x", "DESC"), ("created_at", "DESC, 1")])
def test_column_and_direction_come_from_a_closed_set(column, direction):
    """Text that is none of the known columns or directions never reaches the statement."""
    with pytest.raises(ValueError, match="is not a valid"):
        build_cursor_query("SELECT 1", None, 5, column, direction)


def rows(count):
    return [{"id": number, "created_at": NOW - timedelta(seconds=number)} for number in range(count)]


def test_an_empty_list_leads_nowhere():
    """A list without rows has neither a next nor a previous page."""
    answer = create_cursor_paginated_response([], 5, cursor=None, scope=SCOPE, secret=KEY)

    assert answer == {
        "data": [],
        "pagination": {"limit": 5, "next_cursor": None, "prev_cursor": None, "has_more": False},
    }


def test_a_row_that_cannot_be_placed_is_the_servers_fault():
    """A NULL in the sort column is told to the developer, since such rows would vanish from lists."""
    broken = [*rows(2), {"id": 7, "created_at": None}, *rows(2)]

    with pytest.raises(TypeError, match="NOT NULL"):
        create_cursor_paginated_response(broken, 4, cursor=None, scope=SCOPE, secret=KEY)


def test_links_keep_the_rest_of_the_query():
    """The header leads to the next and the previous page with the filters the client sent."""
    url = URL("https://api.example.test/v1/accounts?state=ACTIVE&cursor=old&limit=5")

    header = link_header(url, {"next_cursor": "n_-1", "prev_cursor": "p"})

    assert header == (
        '<https://api.example.test/v1/accounts?state=ACTIVE&cursor=n_-1&limit=5>; rel="next", '
        '<https://api.example.test/v1/accounts?state=ACTIVE&cursor=p&limit=5>; rel="prev"'
    )
    assert link_header(url, {"next_cursor": None, "prev_cursor": None}) is None


def test_links_cannot_be_broken_out_of():
    """What a client writes into its own URL stays inside the brackets of the header."""
    url = URL("/v1/accounts").with_query({"tag": '>; rel="evil"\r\nX: y'})

    header = link_header(url, {"next_cursor": "n", "prev_cursor": None})

    assert header is not None
    assert header.count(">") == 1
    assert "\r" not in header
