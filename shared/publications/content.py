"""What a post is: its type, and what can be said of it beside caption and media."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta


class PostType(StrEnum):
    """The formats a post can have."""

    IMAGE = "image"
    CAROUSEL = "carousel"
    REEL = "reel"
    STORY = "story"


Username = Annotated[str, Meta(pattern=r"\A@?[A-Za-z0-9._]{1,30}\Z")]
Part = Annotated[float, Meta(ge=0, le=1)]


class PersonTag(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A person in a medium. Pictures of the feed need both coordinates, videos take none."""

    username: Username
    x: Part | None = None  # of the width, from the left
    y: Part | None = None  # of the height, from the top


class PostOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a post may say beside caption and media; stored as `posts.options`. Lists by medium follow `media_ids`."""

    alt_texts: list[Annotated[str, Meta(max_length=1000)]] = msgspec.field(default_factory=list)
    user_tags: list[list[PersonTag]] = msgspec.field(default_factory=list)
    location_id: Annotated[str, Meta(pattern=r"\A[0-9]{1,32}\Z")] | None = None
    collaborators: Annotated[list[Username], Meta(max_length=3)] = msgspec.field(default_factory=list)
    share_to_feed: bool | None = None  # reels
    cover_media_id: UUID | None = None  # reels; wins over the offset
    thumb_offset_ms: Annotated[int, Meta(ge=0, le=900_000)] | None = None  # reels
    audio_name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None  # reels
    trial: Literal["MANUAL", "SS_PERFORMANCE"] | None = None  # reels
    is_ai_generated: bool = False  # not stories
