"""What the platform's answers mean: typed results and the functions that read them out of JSON.

Meta omits unset fields, wraps some objects in `data` that it also serves flat, and sends ids as numbers or as strings.
All of that ends here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

Json = Mapping[str, Any]

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PUBLISHING_SUBCODE = re.compile(r"\b2207\d{3}\b")
_ANY_CODE = re.compile(r"\b\d{4,7}\b")
_DETAIL_CHARS_MAX = 500


class UnusableAnswerError(ValueError):
    """The answer lacks what the call is for. The client raises GraphUnclearError in its place."""


class ContainerCode(StrEnum):
    """State of a container."""

    IN_PROGRESS = "IN_PROGRESS"  # poll again; still alive when a poll limit ends, up to 24 h
    FINISHED = "FINISHED"  # can be published
    PUBLISHED = "PUBLISHED"  # is live: never publish again, find the media id
    ERROR = "ERROR"  # failed for good
    EXPIRED = "EXPIRED"  # 24 h passed unpublished
    UNRECOGNIZED = "UNRECOGNIZED"  # the platform said something else or nothing: poll again, conclude nothing

    @classmethod
    def _missing_(cls, value: object) -> ContainerCode:  # noqa: ARG003 - the hook's signature
        return cls.UNRECOGNIZED


@dataclass(frozen=True, kw_only=True)
class ContainerStatus:
    """Answer to a poll. On ERROR give `subcode` to `classify_container`."""

    code: ContainerCode
    subcode: int | None  # found in the status text; only on ERROR
    detail: str  # the platform's words, bounded


@dataclass(frozen=True, kw_only=True)
class Media:
    """One live media. The platform may leave out anything but the id."""

    id: str
    caption: str | None
    timestamp: datetime | None  # aware, UTC
    permalink: str | None
    media_type: str | None = None  # IMAGE, VIDEO, CAROUSEL_ALBUM
    media_product_type: str | None = None  # FEED, REELS, STORY, AD: tells a reel from another video


@dataclass(frozen=True, kw_only=True)
class PublishingLimit:
    """Posts counted by the platform in its rolling window."""

    used: int
    total: int | None  # None: the platform did not say
    duration_s: int | None


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The account a token belongs to. Compare `ig_user_id` with the account that was asked for."""

    ig_user_id: str
    username: str
    name: str | None
    account_type: str | None  # upper case: BUSINESS, MEDIA_CREATOR
    followers_count: int | None
    media_count: int | None


@dataclass(frozen=True, kw_only=True)
class MediaPage:
    """One page of a list; `after` is None on the last one, which may not be the first short one."""

    items: list[Media]
    after: str | None


def checked_id(value: object) -> str:
    """`value` as an id fit for a path.

    Raises:
        UnusableAnswerError: it is none.
    """
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not _ID.fullmatch(text):
        raise UnusableAnswerError("an id is missing or malformed")
    return text


def read_id(body: Json) -> str:
    """The id in the answer to a write."""
    return checked_id(flat(body).get("id"))


def read_container_status(body: Json) -> ContainerStatus:
    """State of a container, with the subcode out of the status text."""
    item = flat(body)
    code = ContainerCode(str(item.get("status_code")))
    detail = str(item.get("status", ""))[:_DETAIL_CHARS_MAX]
    return ContainerStatus(code=code, subcode=_subcode(detail) if code is ContainerCode.ERROR else None, detail=detail)


def read_media(body: Json) -> Media:
    """One media object."""
    item = flat(body)
    return Media(
        id=checked_id(item.get("id")),
        caption=_text(item.get("caption")),
        timestamp=_time(item.get("timestamp")),
        permalink=_text(item.get("permalink")),
        media_type=_text(item.get("media_type")),
        media_product_type=_text(item.get("media_product_type")),
    )


def read_media_page(body: Json) -> MediaPage:
    """One page of a media list."""
    items = body.get("data")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UnusableAnswerError("the list of media is missing")
    return MediaPage(items=[read_media(item) for item in items], after=_after(body.get("paging")))


def read_publishing_limit(body: Json) -> PublishingLimit:
    """Usage and size of the publishing quota."""
    item = flat(body)
    used = _count(item.get("quota_usage"))
    if used is None:
        raise UnusableAnswerError("the quota usage is missing")
    config = item.get("config")
    config = config if isinstance(config, dict) else {}
    return PublishingLimit(
        used=used, total=_count(config.get("quota_total")), duration_s=_count(config.get("quota_duration"))
    )


def read_profile(body: Json) -> Profile:
    """The account behind a token. Its `id` is scoped to the app and no stand-in for `user_id`."""
    item = flat(body)
    username, account_type = _text(item.get("username")), _text(item.get("account_type"))
    if not username:
        raise UnusableAnswerError("the username is missing")
    return Profile(
        ig_user_id=checked_id(item.get("user_id")),
        username=username,
        name=_text(item.get("name")),
        account_type=account_type.upper() if account_type else None,
        followers_count=_count(item.get("followers_count")),
        media_count=_count(item.get("media_count")),
    )


def flat(body: Json) -> Json:
    """The object itself, whether served flat, as `data`, or as the only element of `data`.

    Raises:
        UnusableAnswerError: there is none.
    """
    inner = body.get("data", body)
    if isinstance(inner, list) and inner:
        inner = inner[0]
    if not isinstance(inner, dict):
        raise UnusableAnswerError("the answer holds no object")
    return inner


def _after(paging: object) -> str | None:
    # Only `next` says that there is more. It is a URL with the token in it, so the cursor beside it is followed.
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = _text(cursors.get("after")) if isinstance(cursors, dict) else None
    if not after:
        raise UnusableAnswerError("the list goes on but names no cursor")
    return after


def _subcode(detail: str) -> int | None:
    found = _PUBLISHING_SUBCODE.search(detail) or _ANY_CODE.search(detail)
    return int(found.group()) if found else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
