from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.instagram import ContainerCode, GraphAccount, Media, Profile, PublishingLimit
from shared.instagram.answers import without_secrets
from shared.instagram.results import (
    UnusableAnswerError,
    read_container_status,
    read_id,
    read_media,
    read_media_page,
    read_profile,
    read_publishing_limit,
)

BIG_ID = 17_889_615_691_921_648_123


@pytest.mark.parametrize(
    "body", [{"id": str(BIG_ID)}, {"id": BIG_ID}, {"data": {"id": BIG_ID}}, {"data": [{"id": str(BIG_ID)}]}]
)
def test_an_id_is_read_from_every_shape(body):
    """Flat or wrapped, number or string, an id beyond 2^53 comes out whole as text."""
    assert read_id(body) == str(BIG_ID)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": None},
        {"id": ""},
        {"id": True},
        {"id": 1.5},
        {"id": "a/b"},
        {"id": ".."},
        {"id": "1\n"},
        {"data": []},
        {"data": "1"},
    ],
)
def test_an_answer_without_an_id_is_unusable(body):
    """What is no id, or could change a path, is refused."""
    with pytest.raises(UnusableAnswerError):
        read_id(body)


@pytest.mark.parametrize(
    ("body", "code", "subcode"),
    [
        ({"status_code": "FINISHED", "status": "Finished: Media has been uploaded"}, ContainerCode.FINISHED, None),
        ({"status_code": "IN_PROGRESS"}, ContainerCode.IN_PROGRESS, None),
        ({"status_code": "PUBLISHED", "status": "Published: 2207001"}, ContainerCode.PUBLISHED, None),
        ({"status_code": "EXPIRED"}, ContainerCode.EXPIRED, None),
        (
            {"status_code": "ERROR", "status": "Error: Media upload has failed with error code 2207052"},
            ContainerCode.ERROR,
            2207052,
        ),
        ({"status_code": "ERROR", "status": "Error: after 12000 ms: 2207003"}, ContainerCode.ERROR, 2207003),
        ({"status_code": "ERROR", "status": "9004"}, ContainerCode.ERROR, 9004),
        ({"status_code": "ERROR", "status": 2207026}, ContainerCode.ERROR, 2207026),
        ({"status_code": "ERROR", "status": "Error: something"}, ContainerCode.ERROR, None),
        ({"status_code": "ERROR"}, ContainerCode.ERROR, None),
        ({"data": [{"status_code": "FINISHED"}]}, ContainerCode.FINISHED, None),
        ({"status_code": "SCHEDULED"}, ContainerCode.UNRECOGNIZED, None),
        ({"status_code": None}, ContainerCode.UNRECOGNIZED, None),
        ({"id": "1"}, ContainerCode.UNRECOGNIZED, None),
    ],
)
def test_a_container_status_is_read(body, code, subcode):
    """The state is typed, and on ERROR the code is found in the text."""
    status = read_container_status(body)

    assert (status.code, status.subcode) == (code, subcode)


def test_status_text_is_bounded():
    """A text of any length is kept short."""
    assert len(read_container_status({"status_code": "ERROR", "status": "x" * 10_000}).detail) == 500


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2019-09-26T22:36:43+0000", datetime(2019, 9, 26, 22, 36, 43, tzinfo=UTC)),
        ("2019-09-26T22:36:43+00:00", datetime(2019, 9, 26, 22, 36, 43, tzinfo=UTC)),
        ("2019-09-26T22:36:43-0700", datetime(2019, 9, 27, 5, 36, 43, tzinfo=UTC)),
        ("2019-09-26T22:36:43", datetime(2019, 9, 26, 22, 36, 43, tzinfo=UTC)),
        ("0001-01-01T00:00:00+2300", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_timestamps_are_aware(text, moment):
    """Meta's `+0000` and its relatives become aware UTC; nonsense becomes None, not an error."""
    read = read_media({"id": "1", "timestamp": text}).timestamp

    assert read == moment
    assert read is None or read.tzinfo is UTC


def test_a_media_may_lack_all_but_its_id():
    """Unset fields are None, so a caller can tell 'not said' from empty."""
    assert read_media({"id": 7}) == Media(id="7", caption=None, timestamp=None, permalink=None)


def test_a_page_says_whether_the_list_goes_on():
    """Only `next` means more; the cursor beside it leads on."""
    more = {"data": [], "paging": {"next": "https://x.test/?access_token=t", "cursors": {"after": "c2"}}}
    last = {"data": [{"id": "1"}], "paging": {"cursors": {"after": "c2"}}}

    assert read_media_page(more).after == "c2"
    assert read_media_page(last).after is None
    assert read_media_page({"data": []}).items == []


@pytest.mark.parametrize(
    "body", [{}, {"data": {}}, {"data": ["1"]}, {"data": [{}]}, {"data": [], "paging": {"next": "x"}}]
)
def test_a_list_that_cannot_be_read_whole_is_unusable(body):
    """A list is read whole or not at all: absence in it must mean absence."""
    with pytest.raises(UnusableAnswerError):
        read_media_page(body)


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (
            {"data": [{"quota_usage": 2, "config": {"quota_total": 50, "quota_duration": 86400}}]},
            PublishingLimit(used=2, total=50, duration_s=86400),
        ),
        ({"quota_usage": "2"}, PublishingLimit(used=2, total=None, duration_s=None)),
        ({"data": [{"quota_usage": 0, "config": None}]}, PublishingLimit(used=0, total=None, duration_s=None)),
    ],
)
def test_the_publishing_limit_is_read(body, limit):
    """Usage is needed, the size is never guessed."""
    assert read_publishing_limit(body) == limit


def test_a_profile_is_read_wrapped_and_flat():
    """The account's id is `user_id`; the app-scoped `id` never stands in for it."""
    item = {"id": "5", "user_id": 17841400000000001, "username": "shop", "account_type": "Business"}
    profile = Profile(
        ig_user_id="17841400000000001",
        username="shop",
        name=None,
        account_type="BUSINESS",
        followers_count=None,
        media_count=None,
    )

    assert read_profile(item) == read_profile({"data": [item]}) == profile
    for lacking in ({"id": "5", "username": "shop"}, {"user_id": "5"}):
        with pytest.raises(UnusableAnswerError):
            read_profile(lacking)


def test_an_account_never_shows_its_token():
    """repr and str of an account are fit for a log."""
    account = GraphAccount(ig_user_id="17841400000000001", access_token="IGAA-not-a-real-token")

    assert "IGAA" not in f"{account!r} {account}"


@pytest.mark.parametrize(
    ("ig_user_id", "access_token"),
    [("../me", "x" * 8), ("", "x" * 8), ("1?x=1", "x" * 8), ("1", ""), ("1", "x" * 7), ("1", "x" * 8 + "\r\nHost: y")],
)
def test_an_account_that_cannot_be_sent_is_refused(ig_user_id, access_token):
    """What would change the path or the headers of a request raises before one is made, without quoting the token."""
    with pytest.raises(ValueError, match=r"^(an id is missing or malformed|the access token must be)") as caught:
        GraphAccount(ig_user_id=ig_user_id, access_token=access_token)

    assert "Host" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "Malformed access token my-secret-token",
        "Malformed access token IGAAother0123456789",
        "Malformed access token EAABother0123456789",
        "see https://x.test/?access_token=other-secret&limit=1",
        "see https://x.test/?client_secret=other-secret&limit=1",
    ],
)
def test_tokens_are_taken_out_of_foreign_text(text):
    """The token of the call, and what looks like one, is gone from the platform's words."""
    cleaned = without_secrets(text, ["my-secret-token"])

    assert "[secret]" in cleaned
    assert not any(hidden in cleaned for hidden in ("my-secret", "other"))
