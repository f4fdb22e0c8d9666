"""What the platform takes per type of post, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shared.instagram import MediaFormat, MediaKind
from shared.publications import PostType

#: The most media that a post of any type has.
MEDIA_MAX = 10
#: The most people that are tagged in one medium.
USER_TAGS_MAX = 20


@dataclass(frozen=True, kw_only=True)
class PostRule:
    """What a post of one type is made of."""

    media_min: int
    media_max: int
    formats: Mapping[MediaKind, MediaFormat]  # where a medium of this kind stands; without an entry it cannot
    options: frozenset[str]  # those fields of PostOptions that the platform takes
    caption: bool = True

    @property
    def counts(self) -> str:
        """How many media there must be, in words."""
        return f"{self.media_min} to {self.media_max} media" if self.media_max > 1 else "exactly one medium"


_FEED = frozenset({"user_tags", "location_id", "collaborators", "is_ai_generated"})

POST_RULES: Mapping[PostType, PostRule] = MappingProxyType(
    {
        PostType.IMAGE: PostRule(
            media_min=1,
            media_max=1,
            formats={"image": MediaFormat.FEED_IMAGE},
            options=_FEED | {"alt_texts"},
        ),
        PostType.CAROUSEL: PostRule(
            media_min=2,
            media_max=MEDIA_MAX,
            formats={"image": MediaFormat.CAROUSEL_IMAGE, "video": MediaFormat.CAROUSEL_VIDEO},
            options=_FEED | {"alt_texts"},
        ),
        PostType.REEL: PostRule(
            media_min=1,
            media_max=1,
            formats={"video": MediaFormat.REEL},
            options=_FEED | {"share_to_feed", "cover_media_id", "thumb_offset_ms", "audio_name", "trial"},
        ),
        PostType.STORY: PostRule(
            media_min=1,
            media_max=1,
            formats={"image": MediaFormat.STORY_IMAGE, "video": MediaFormat.STORY_VIDEO},
            options=frozenset({"user_tags"}),
            caption=False,
        ),
    }
)


def types_for(kind: MediaKind) -> list[PostType]:
    """The types of post that can show a medium of this kind."""
    return [post_type for post_type, rule in POST_RULES.items() if kind in rule.formats]
