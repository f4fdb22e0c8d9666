"""Whether the options of a post are such as the platform takes for its type and its media."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

import msgspec

from services.api.http import Fault
from services.api.posts.content import Content
from services.api.posts.post_rules import POST_RULES, USER_TAGS_MAX
from shared.instagram import MediaFacts
from shared.publications import PersonTag, PostType


def check_options(content: Content, known: Mapping[UUID, MediaFacts]) -> Iterator[Fault]:
    """Everything about its options that the platform would refuse.

    Args:
        content: the post.
        known: what its media are, as far as they are the user's.
    """
    given = msgspec.to_builtins(content.options)
    taken = POST_RULES[content.type].options
    for name in (name for name in given if name not in taken):
        message = f"A post of the type {content.type} takes no {name}; leave it out."
        yield Fault(code="option_not_taken", message=message, path=f"options.{name}")
    checks = {"alt_texts": _alt_text_faults, "user_tags": _tag_faults, "thumb_offset_ms": _offset_faults}
    for name in given.keys() & taken & checks.keys():
        yield from checks[name](content, known)


def _alt_text_faults(content: Content, known: Mapping[UUID, MediaFacts]) -> Iterator[Fault]:
    texts = content.options.alt_texts
    yield from _length_fault(content, texts, path="options.alt_texts")
    for index, (text, media_id) in enumerate(zip(texts, content.media_ids, strict=False)):
        if text and _is_video(known, media_id):
            message = "A video takes no alternative text; leave this one empty."
            yield Fault(code="option_not_taken", message=message, path=f"options.alt_texts[{index}]")


def _tag_faults(content: Content, known: Mapping[UUID, MediaFacts]) -> Iterator[Fault]:
    tags_by_medium = content.options.user_tags
    yield from _length_fault(content, tags_by_medium, path="options.user_tags")
    for index, (tags, media_id) in enumerate(zip(tags_by_medium, content.media_ids, strict=False)):
        path = f"options.user_tags[{index}]"
        if len(tags) > USER_TAGS_MAX:
            message = f"{len(tags)} people are tagged in this medium; at most {USER_TAGS_MAX} are allowed."
            yield Fault(code="too_many_user_tags", message=message, path=path)
        for number, tag in enumerate(tags[:USER_TAGS_MAX]):
            if media_id in known:
                fault = _place_fault(tag, video=_is_video(known, media_id), story=content.type is PostType.STORY)
                if fault:
                    yield Fault(code="invalid_value", message=fault, path=f"{path}[{number}]")


def _place_fault(tag: PersonTag, *, video: bool, story: bool) -> str | None:
    given = (tag.x is not None) + (tag.y is not None)
    if video:
        return "A person in a video has no place; leave x and y out." if given else None
    if given == 1 or (given == 0 and not story):
        return "Say where in the picture the person is: both x and y, from 0 to 1 from its top left corner."
    return None


def _offset_faults(content: Content, known: Mapping[UUID, MediaFacts]) -> Iterator[Fault]:
    offset_ms = content.options.thumb_offset_ms or 0
    for media_id in content.media_ids[:1]:
        duration_ms = known[media_id].duration_ms if media_id in known else None
        if duration_ms is not None and offset_ms >= duration_ms:
            message = f"The video lasts {duration_ms:,} ms; choose a moment before its end."
            yield Fault(code="invalid_value", message=message, path="options.thumb_offset_ms")


def _length_fault(content: Content, values: Sequence[object], *, path: str) -> Iterator[Fault]:
    count = len(content.media_ids)
    if len(values) != count:
        message = f"Give one entry, maybe an empty one, for each of the {count} media; there are {len(values)}."
        yield Fault(code="wrong_length", message=message, path=path)


def _is_video(known: Mapping[UUID, MediaFacts], media_id: UUID) -> bool:
    return media_id in known and known[media_id].kind == "video"
