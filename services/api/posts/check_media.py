"""Whether the media of a post are there, as many as its type shows, and such as the platform takes in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from services.api.http import Fault
from services.api.posts.content import Content
from services.api.posts.post_rules import MEDIA_MAX, POST_RULES, types_for
from shared.instagram import MediaFacts, MediaFormat, media_faults
from shared.publications import PostOptions


def named_media(media_ids: Sequence[UUID], options: PostOptions) -> list[UUID]:
    """The media that a post names and that are looked at: never more than a post can have, and its cover."""
    cover = options.cover_media_id
    return [*media_ids[:MEDIA_MAX], *([] if cover is None else [cover])]


def check_media(content: Content, known: Mapping[UUID, MediaFacts]) -> Iterator[Fault]:
    """Everything about its media that the platform would refuse.

    Args:
        content: the post.
        known: those of `named_media` that are the user's.
    """
    rule = POST_RULES[content.type]
    count = len(content.media_ids)
    if not rule.media_min <= count <= rule.media_max:
        message = f"A post of the type {content.type} shows {rule.counts}; this one names {count}."
        yield Fault(code="wrong_media_count", message=message, path="media_ids")
    for index, media_id in enumerate(content.media_ids[:MEDIA_MAX]):
        yield from _medium_faults(content, known.get(media_id), path=f"media_ids[{index}]")
    cover = content.options.cover_media_id
    if cover is not None and "cover_media_id" in rule.options:
        facts, path = known.get(cover), "options.cover_media_id"
        yield from [_unknown(path)] if facts is None else _misfits(facts, MediaFormat.REEL_COVER, path=path)


def _medium_faults(content: Content, facts: MediaFacts | None, *, path: str) -> Iterator[Fault]:
    formats = POST_RULES[content.type].formats
    if facts is None:
        yield _unknown(path)
    elif facts.kind in formats:
        yield from _misfits(facts, formats[facts.kind], path=path)
    else:
        others = " or ".join(types_for(facts.kind))
        message = f"A post of the type {content.type} shows no {facts.kind}; use the type {others} for this medium."
        yield Fault(code="wrong_kind", message=message, path=path)


def _misfits(facts: MediaFacts, wanted: MediaFormat, *, path: str) -> list[Fault]:
    return [Fault(code=fault.code, message=fault.message, path=path) for fault in media_faults(facts, wanted)]


def _unknown(path: str) -> Fault:
    return Fault(code="not_found", message="There is no such medium.", path=path)
