"""From a post to what the platform is asked to make of it: one way for each format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from shared.instagram import (
    CarouselContainer,
    CarouselItem,
    ContainerSpec,
    ImageContainer,
    MediaKind,
    ReelContainer,
    StoryContainer,
    UserTag,
)
from shared.publications import PersonTag, PostOptions, PostType


@dataclass(frozen=True, kw_only=True)
class Medium:
    """One medium of a post, at the address where the platform can fetch it."""

    kind: MediaKind
    url: str


@dataclass(frozen=True, kw_only=True)
class CarouselPlan:
    """A carousel: a container for each item, then one of them all."""

    items: tuple[CarouselItem, ...]  # in the post's order
    parent: Callable[[tuple[str, ...]], CarouselContainer]  # from the items' container ids, in the same order


Plan = ContainerSpec | CarouselPlan


def plan_post(
    post_type: PostType, *, caption: str, media: Sequence[Medium], cover: Medium | None, options: PostOptions
) -> Plan:
    """What to make of a post.

    Args:
        post_type: its format.
        caption: the words; a story has none, whatever is given.
        media: of the post, in its order; at least one.
        cover: the picture that stands for a reel.
        options: what the post says beside.

    Raises:
        ValueError: the media are not what the format takes. Posts are checked when they are made.
    """
    match post_type:
        case PostType.IMAGE:
            return _image(caption, media[0], options)
        case PostType.REEL:
            return _reel(caption, media[0], cover, options)
        case PostType.STORY:
            return _story(media[0], options)
        case PostType.CAROUSEL:
            return _carousel(caption, media, options)
        case _:
            assert_never(post_type)


def _image(caption: str, medium: Medium, options: PostOptions) -> ImageContainer:
    return ImageContainer(
        image_url=medium.url,
        caption=caption,
        alt_text=_alt_text(options, 0),
        user_tags=_tags(options, 0, medium),
        location_id=options.location_id,
        collaborators=tuple(options.collaborators),
        is_ai_generated=options.is_ai_generated,
    )


def _reel(caption: str, medium: Medium, cover: Medium | None, options: PostOptions) -> ReelContainer:
    return ReelContainer(
        video_url=medium.url,
        caption=caption,
        share_to_feed=options.share_to_feed,
        cover_url=cover.url if cover else None,
        thumb_offset_ms=options.thumb_offset_ms,
        audio_name=options.audio_name,
        user_tags=_tags(options, 0, medium),
        location_id=options.location_id,
        collaborators=tuple(options.collaborators),
        trial=options.trial,
        is_ai_generated=options.is_ai_generated,
    )


def _story(medium: Medium, options: PostOptions) -> StoryContainer:
    tags = _tags(options, 0, medium)
    if medium.kind == "video":
        return StoryContainer(video_url=medium.url, user_tags=tags)
    return StoryContainer(image_url=medium.url, user_tags=tags)


def _carousel(caption: str, media: Sequence[Medium], options: PostOptions) -> CarouselPlan:
    def parent(children: tuple[str, ...]) -> CarouselContainer:
        return CarouselContainer(
            children=children,
            caption=caption,
            location_id=options.location_id,
            collaborators=tuple(options.collaborators),
            is_ai_generated=options.is_ai_generated,
        )

    return CarouselPlan(items=tuple(_item(medium, place, options) for place, medium in enumerate(media)), parent=parent)


def _item(medium: Medium, place: int, options: PostOptions) -> CarouselItem:
    tags = _tags(options, place, medium)
    if medium.kind == "video":
        return CarouselItem(video_url=medium.url, user_tags=tags)
    return CarouselItem(image_url=medium.url, alt_text=_alt_text(options, place), user_tags=tags)


def _alt_text(options: PostOptions, place: int) -> str:
    return options.alt_texts[place] if place < len(options.alt_texts) else ""


def _tags(options: PostOptions, place: int, medium: Medium) -> tuple[UserTag, ...]:
    tags = options.user_tags[place] if place < len(options.user_tags) else []
    return tuple(_tag(tag, medium) for tag in tags)


def _tag(tag: PersonTag, medium: Medium) -> UserTag:
    username = tag.username.removeprefix("@")
    return UserTag(username=username) if medium.kind == "video" else UserTag(username=username, x=tag.x, y=tag.y)
