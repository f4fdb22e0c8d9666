"""What an account can post, as data: the limits of the media, and the parameters that each format takes.

Facts: Meta's reference of `POST /{ig-user-id}/media`. Items of a carousel have no limits of their own there; here
pictures are held to those of the feed and videos to those of reels. Of a video, closed groups of pictures, edit lists
and the bit rate of the sound are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class MediaRules:
    """Limits of a picture or a video; None where the platform names none."""

    kind: Literal["image", "video"]
    bytes_max: int
    ratio_min: Fraction | None = None  # width / height
    ratio_max: Fraction | None = None
    width_max: int | None = None  # pixels
    duration_min_ms: int = 0  # of a video
    duration_max_ms: int = 0


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to post. What is published shows `media_type` and `product`."""

    name: str
    rules: MediaRules | None  # None: it has no medium of its own
    media_type: Literal["IMAGE", "VIDEO", "CAROUSEL_ALBUM"]
    product: Literal["FEED", "REELS", "STORY"]
    takes: frozenset[str]  # parameters beside media_type and is_carousel_item
    is_item: bool = False  # of a carousel
    tags_are_placed: bool = True  # user_tags need a place in the picture


PICTURE = MediaRules(kind="image", bytes_max=8 * _MIB)
_FEED_PICTURE = replace(PICTURE, ratio_min=Fraction(4, 5), ratio_max=Fraction(191, 100))
_REEL_VIDEO = MediaRules(
    kind="video",
    bytes_max=300 * _MIB,
    ratio_min=Fraction(1, 100),
    ratio_max=Fraction(10),
    width_max=1920,
    duration_min_ms=3_000,
    duration_max_ms=15 * 60_000,
)
_STORY_VIDEO = replace(_REEL_VIDEO, bytes_max=100 * _MIB, ratio_min=Fraction(1, 10), duration_max_ms=60_000)

_TOLD = frozenset({"caption", "location_id", "collaborators", "is_ai_generated"})  # of the post as a whole
_REELS_OWN = frozenset({"share_to_feed", "cover_url", "thumb_offset", "audio_name", "trial_params"})

IMAGE = Format(
    name="image",
    rules=_FEED_PICTURE,
    media_type="IMAGE",
    product="FEED",
    takes=_TOLD | {"image_url", "alt_text", "user_tags"},
)
REEL = Format(
    name="reel",
    rules=_REEL_VIDEO,
    media_type="VIDEO",
    product="REELS",
    takes=_TOLD | _REELS_OWN | {"video_url", "user_tags"},
    tags_are_placed=False,
)
# What a caption does to a story is not known; it is taken and shown nowhere.
STORY_IMAGE = Format(
    name="story_image",
    rules=PICTURE,
    media_type="IMAGE",
    product="STORY",
    takes=frozenset({"image_url", "user_tags", "caption", "is_ai_generated"}),
    tags_are_placed=False,
)
STORY_VIDEO = replace(
    STORY_IMAGE,
    name="story_video",
    rules=_STORY_VIDEO,
    media_type="VIDEO",
    takes=STORY_IMAGE.takes - {"image_url"} | {"video_url"},
)
ITEM_IMAGE = replace(IMAGE, name="item_image", takes=frozenset({"image_url", "alt_text", "user_tags"}), is_item=True)
ITEM_VIDEO = replace(
    REEL,
    name="item_video",
    product="FEED",
    takes=frozenset({"video_url", "thumb_offset", "user_tags"}),
    is_item=True,
)
CAROUSEL = Format(name="carousel", rules=None, media_type="CAROUSEL_ALBUM", product="FEED", takes=_TOLD | {"children"})
GUARDED = frozenset().union(*(each.takes for each in (IMAGE, REEL, STORY_IMAGE, STORY_VIDEO, CAROUSEL)))
