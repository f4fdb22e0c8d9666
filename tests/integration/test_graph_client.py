"""The client's calls and what it makes of answers and refusals."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from aiohttp import web

from shared.instagram import (
    ErrorClass,
    GraphError,
    GraphUnclearError,
    Media,
)
from shared.instagram.wire import ANSWER_BYTES_MAX
from tests.platforms import ACCOUNT, TOKEN, platform, publish, refuses, says, says_text


async def test_recent_media_follows_short_pages_to_the_end_of_the_list():
    """A short or empty page is not the end: what is missing in the result is missing on the platform."""
    pages = {
        None: {"data": [], "paging": {"next": f"https://x.test/?access_token={TOKEN}", "cursors": {"after": "c1"}}},
        "c1": {
            "data": [
                {"id": "2", "caption": "b", "timestamp": "2026-01-02T03:04:05+0000", "permalink": "https://i.test/2"}
            ],
            "paging": {"next": "https://x.test/", "cursors": {"after": "c2"}},
        },
        "c2": {"data": [{"id": 1}], "paging": {"cursors": {"after": "c3"}}},
    }

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(pages[request.query.get("after")])

    async with platform(answer) as (client, served):
        found = await client.recent_media(ACCOUNT, limit=25)
        one = await client.recent_media(ACCOUNT, limit=1)

    newest = Media(
        id="2", caption="b", timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), permalink="https://i.test/2"
    )
    assert found == [newest, Media(id="1", caption=None, timestamp=None, permalink=None)]
    assert one == [newest]
    assert len(served.seen) == 5


async def test_a_list_without_end_is_given_up():
    """Endless empty pages end in an error, neither in a loop nor in a false 'absent'."""
    page = {"data": [], "paging": {"next": "https://x.test/", "cursors": {"after": "same"}}}
    async with platform(says(page)) as (client, served):
        with pytest.raises(GraphUnclearError, match="goes on after 10 pages"):
            await client.recent_media(ACCOUNT, limit=5)

    assert len(served.seen) == 10


@pytest.mark.parametrize("limit", [0, -1, 101])
async def test_recent_media_refuses_a_limit_the_platform_does_not_take(limit):
    """A limit outside 1 to 100 is the caller's mistake and costs no call."""
    async with platform(says({"data": []})) as (client, served):
        with pytest.raises(ValueError, match="limit must be from 1 to 100"):
            await client.recent_media(ACCOUNT, limit=limit)

    assert served.seen == []


async def test_an_id_that_would_change_the_path_is_refused():
    """Ids come from storage and answers; none can reach another path."""
    async with platform(says({})) as (client, served):
        for bad in ("../me", "", "1?fields=access_token", "1/media"):
            with pytest.raises(ValueError, match="an id is missing or malformed"):
                await client.container_status(ACCOUNT, bad)
            with pytest.raises(ValueError, match="an id is missing or malformed"):
                await client.publish_container(ACCOUNT, bad)

    assert served.seen == []


async def test_a_refusal_carries_everything_the_envelope_says():
    """Code, subcode, flag, trace and status of the envelope are fields of the error."""
    answer = refuses(403, code=4, error_subcode=2207051, is_transient=False, message="blocked", error_user_title="x")
    async with platform(answer) as (client, _):
        with pytest.raises(GraphError) as caught:
            await publish(client)

    error = caught.value
    assert (error.operation, error.code, error.subcode, error.http_status) == ("publish_container", 4, 2207051, 403)
    assert (error.message, error.fbtrace_id, error.is_transient) == ("blocked", "Atrace", False)
    assert (error.error_class, error.may_be_live) == (ErrorClass.SPAM_SUSPECTED, True)


async def test_a_code_that_no_database_could_hold_is_none():
    """What is stored of a refusal can be read again, whatever stood in its place."""
    async with platform(refuses(400, code=2**31, error_subcode=-(2**31) - 1)) as (client, _):
        with pytest.raises(GraphError) as caught:
            await publish(client)

    assert (caught.value.code, caught.value.subcode) == (None, None)


@pytest.mark.parametrize(
    ("answer", "error_class"),
    [
        (refuses(500, code=2, is_transient=True), ErrorClass.TRANSIENT),
        (refuses(400, code="9007", error_subcode="2207027"), ErrorClass.NOT_READY),
        (refuses(200, code=190), ErrorClass.REAUTH),
        (refuses(400, code=99999, is_transient=True), ErrorClass.TRANSIENT),
        (refuses(400, code=None, message=None, fbtrace_id=7), ErrorClass.UNKNOWN),
        (says({"error": {}}, 500), ErrorClass.TRANSIENT),
        (says_text("<html>denied</html>", 401), ErrorClass.REAUTH),
        (says_text("<html>slow down</html>", 429), ErrorClass.THROTTLED),
        (says_text("<html>denied</html>", 403), ErrorClass.UNKNOWN),
        (says([], 404), ErrorClass.UNKNOWN),
    ],
)
async def test_refusals_of_every_shape_are_classified(answer, error_class):
    """An envelope with odd types, on any status, and a gateway's 4xx page are refusals, not surprises."""
    async with platform(answer) as (client, _):
        with pytest.raises(GraphError) as caught:
            await publish(client)

    assert caught.value.error_class is error_class


@pytest.mark.parametrize(
    "answer",
    [
        says_text("<html>Bad Gateway</html>", 502),
        says({"success": False}, 500),
        says_text("", 200),
        says_text("[" * 100_000, 200),
        says_text('{"id": "1', 200),
        says([], 200),
        says({}, 200),
        says({"id": None}, 200),
        says({"error": "a string"}, 200),
        says_text("x" * (ANSWER_BYTES_MAX + 1), 200),
    ],
    ids=["502", "500", "empty", "deep", "cut", "list", "object", "no id", "odd error", "too large"],
)
async def test_an_answer_that_says_nothing_leaves_a_publish_unclear(answer):
    """A server failure or a success without a media id proves neither outcome."""
    async with platform(answer) as (client, served):
        with pytest.raises(GraphUnclearError) as caught:
            await publish(client)

    assert caught.value.operation == "publish_container"
    assert len(served.seen) == 1
