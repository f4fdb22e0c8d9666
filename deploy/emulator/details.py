"""What may be said of a post beside its medium, read and held against the platform's limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from deploy.emulator.captions import check_alt_text, check_caption
from deploy.emulator.error_table import INVALID_PARAMETER, TOO_MANY_TAGS
from deploy.emulator.errors import GraphError
from deploy.emulator.formats import GUARDED, Format

_T = TypeVar("_T")
_Share = Annotated[float, Meta(ge=0, le=1)]
_Username = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9._]{1,30}\Z")]

_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_TAGS_MAX = 20
_COLLABORATORS_MAX = 3
_WHOLE_NUMBER = re.compile(r"[0-9]{1,15}")
_LOCATION = re.compile(r"[0-9]{1,25}")


class UserTag(msgspec.Struct, frozen=True, kw_only=True):
    """A person in the medium, at a place from 0 to 1 of its width and height."""

    username: _Username
    x: _Share | None = None
    y: _Share | None = None


class _Trial(msgspec.Struct, frozen=True, kw_only=True):
    graduation_strategy: Literal["MANUAL", "SS_PERFORMANCE"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Details:
    """What was said of a post. What its format does not take is as if it had not been said."""

    caption: str = ""
    alt_text: str = ""
    user_tags: tuple[UserTag, ...] = ()
    collaborators: tuple[str, ...] = ()
    location_id: str | None = None
    share_to_feed: bool | None = None
    cover_url: str | None = None
    thumb_offset_ms: int | None = None
    audio_name: str | None = None
    trial_strategy: str | None = None
    is_ai_generated: bool = False


def read_details(params: Mapping[str, str], wanted: Format) -> Details:
    """Everything that was said of a post of this format.

    Raises:
        GraphError: a parameter that the format does not take, or one beyond its limits.
    """
    said = {name: text for name, text in params.items() if name in GUARDED and text}
    for name in said:
        if name not in wanted.takes:
            raise _refused(f"Param {name} is not supported for this media: {wanted.name.replace('_', ' ')}")
    check_caption(said.get("caption", ""))
    check_alt_text(said.get("alt_text", ""))
    trial = _read(said, "trial_params", lambda text: msgspec.json.decode(text, type=_Trial))
    return Details(
        caption=said.get("caption", ""),
        alt_text=said.get("alt_text", ""),
        user_tags=_user_tags(said, wanted),
        collaborators=_read(said, "collaborators", _collaborators) or (),
        location_id=_read(said, "location_id", lambda text: _matching(_LOCATION, text)),
        share_to_feed=_read(said, "share_to_feed", read_flag),
        cover_url=said.get("cover_url"),
        thumb_offset_ms=_read(said, "thumb_offset", lambda text: int(_matching(_WHOLE_NUMBER, text))),
        audio_name=said.get("audio_name"),
        trial_strategy=trial.graduation_strategy if trial else None,
        is_ai_generated=bool(_read(said, "is_ai_generated", read_flag)),
    )


def read_flag(text: str) -> bool:
    """A truth value as the platform reads it.

    Raises:
        ValueError: it is none.
    """
    if text.lower() not in _FLAGS:
        raise ValueError("must be true or false")
    return _FLAGS[text.lower()]


def _user_tags(said: Mapping[str, str], wanted: Format) -> tuple[UserTag, ...]:
    tags = _read(said, "user_tags", lambda text: msgspec.json.decode(text, type=tuple[UserTag, ...])) or ()
    if len(tags) > _TAGS_MAX:
        raise GraphError(TOO_MANY_TAGS)
    for tag in tags:
        placed = tag.x is not None and tag.y is not None
        if wanted.tags_are_placed and not placed:
            raise _refused("Param user_tags: a person in a picture needs x and y, from 0 to 1")
        if wanted.product != "STORY" and not wanted.tags_are_placed and placed:
            raise _refused("Param user_tags: a person in a video has no x and y")
    return tags


def _collaborators(text: str) -> tuple[str, ...]:
    names = msgspec.json.decode(text, type=tuple[_Username, ...])
    if len(names) > _COLLABORATORS_MAX:
        raise ValueError(f"takes at most {_COLLABORATORS_MAX} usernames")
    return names


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError("must be a number")
    return text


def _read(said: Mapping[str, str], name: str, read: Callable[[str], _T]) -> _T | None:
    if name not in said:
        return None
    try:
        return read(said[name])
    except (ValueError, RecursionError) as error:  # what msgspec raises is a ValueError too
        raise _refused(f"Param {name}: {error}") from error


def _refused(reason: str) -> GraphError:
    return GraphError(INVALID_PARAMETER, f"(#100) {reason}")
