"""What a container is made of: one typed builder per format, each with exactly the parameters the platform takes.

Parents and children of a carousel have different parameters, reels others than stories: a builder that has no field for
something cannot send it. Facts and limits: Meta's reference of `POST /{ig-user-id}/media`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

TrialStrategy = Literal["MANUAL", "SS_PERFORMANCE"]


class ContainerSpec(Protocol):
    """A container to be made."""

    def form(self) -> dict[str, str]:
        """The parameters of the call, as the platform names them; what was not said is left out."""
        ...


@dataclass(frozen=True, kw_only=True)
class UserTag:
    """A person in the picture. `x` and `y` run from 0 to 1 from the top left corner; a video has none."""

    username: str
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True, kw_only=True)
class ImageContainer:
    """A picture in the feed."""

    image_url: str
    caption: str = ""
    alt_text: str = ""
    user_tags: tuple[UserTag, ...] = ()
    location_id: str | None = None
    collaborators: tuple[str, ...] = ()
    is_ai_generated: bool = False

    def form(self) -> dict[str, str]:
        """Without `media_type`: that is what makes it a picture."""
        return _form(
            image_url=self.image_url,
            caption=self.caption,
            alt_text=self.alt_text,
            user_tags=_tags(self.user_tags),
            location_id=self.location_id,
            collaborators=_names(self.collaborators),
            is_ai_generated=_flag(self.is_ai_generated),
        )


@dataclass(frozen=True, kw_only=True)
class ReelContainer:
    """A video. `cover_url` wins over `thumb_offset_ms`."""

    video_url: str
    caption: str = ""
    share_to_feed: bool | None = None
    cover_url: str | None = None
    thumb_offset_ms: int | None = None
    audio_name: str | None = None
    user_tags: tuple[UserTag, ...] = ()
    location_id: str | None = None
    collaborators: tuple[str, ...] = ()
    trial: TrialStrategy | None = None
    is_ai_generated: bool = False

    def form(self) -> dict[str, str]:
        """With `media_type=REELS`, also for what people call a video."""
        return _form(
            media_type="REELS",
            video_url=self.video_url,
            caption=self.caption,
            share_to_feed=None if self.share_to_feed is None else str(self.share_to_feed).lower(),
            cover_url=self.cover_url,
            thumb_offset=None if self.thumb_offset_ms is None else str(self.thumb_offset_ms),
            audio_name=self.audio_name,
            user_tags=_tags(self.user_tags),
            location_id=self.location_id,
            collaborators=_names(self.collaborators),
            trial_params=None if self.trial is None else _json({"graduation_strategy": self.trial}),
            is_ai_generated=_flag(self.is_ai_generated),
        )


@dataclass(frozen=True, kw_only=True)
class StoryContainer:
    """A story: a picture or a video, without words. Give exactly one URL."""

    image_url: str | None = None
    video_url: str | None = None
    user_tags: tuple[UserTag, ...] = ()

    def __post_init__(self) -> None:
        _require_one_url(self.image_url, self.video_url)

    def form(self) -> dict[str, str]:
        """With `media_type=STORIES`, whichever the medium is."""
        return _form(
            media_type="STORIES",
            image_url=self.image_url,
            video_url=self.video_url,
            user_tags=_tags(self.user_tags),
        )


@dataclass(frozen=True, kw_only=True)
class CarouselItem:
    """One picture or video of a carousel. Caption, place and collaborators belong to the carousel itself."""

    image_url: str | None = None
    video_url: str | None = None
    alt_text: str = ""  # pictures only
    user_tags: tuple[UserTag, ...] = ()

    def __post_init__(self) -> None:
        _require_one_url(self.image_url, self.video_url)
        if self.video_url and self.alt_text:
            raise ValueError("a video takes no alternative text")

    def form(self) -> dict[str, str]:
        """With `media_type=VIDEO` for a video: without it the platform asks for a picture."""
        return _form(
            is_carousel_item="true",
            media_type="VIDEO" if self.video_url else None,
            image_url=self.image_url,
            video_url=self.video_url,
            alt_text=self.alt_text,
            user_tags=_tags(self.user_tags),
        )


@dataclass(frozen=True, kw_only=True)
class CarouselContainer:
    """The carousel itself, of 2 to 10 items that are FINISHED, in their order."""

    children: tuple[str, ...]
    caption: str = ""
    location_id: str | None = None
    collaborators: tuple[str, ...] = ()
    is_ai_generated: bool = False

    def form(self) -> dict[str, str]:
        """With `media_type=CAROUSEL`."""
        return _form(
            media_type="CAROUSEL",
            children=",".join(self.children),
            caption=self.caption,
            location_id=self.location_id,
            collaborators=_names(self.collaborators),
            is_ai_generated=_flag(self.is_ai_generated),
        )


def _form(**parameters: str | None) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value}


def _tags(tags: Iterable[UserTag]) -> str | None:
    shown = [
        {"username": tag.username} | ({} if tag.x is None or tag.y is None else {"x": tag.x, "y": tag.y})
        for tag in tags
    ]
    return _json(shown) if shown else None


def _names(names: Iterable[str]) -> str | None:
    plain = [name.removeprefix("@") for name in names]
    return _json(plain) if plain else None


def _flag(value: bool) -> str | None:  # noqa: FBT001 - one value in, one text out
    return "true" if value else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _require_one_url(image_url: str | None, video_url: str | None) -> None:
    if (image_url is None) == (video_url is None):
        raise ValueError("give either a picture or a video")
