"""The platform's limits of a caption."""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.api.http import Caller, Fault
from services.api.posts.content import Content
from services.api.posts.post_rules import POST_RULES

_CHARACTERS_MAX = 2200
_HASHTAGS_MAX = 30
_TAGS_MAX = 20
_HASHTAG = re.compile(r"#\w")
_TAG = re.compile(r"(?<![\w.])@\w")  # an @ within a word is a mail address


def check_captions(content: Content, *, caller: Caller) -> Iterator[Fault]:
    """Everything about the captions of a post that the platform would refuse; hidden accounts are not named."""
    check = check_caption if POST_RULES[content.type].caption else _refuse_caption
    yield from check(content.caption, path="caption")
    for account_id, caption in content.own_captions.items():
        yield from check(caption, path=f"overrides.{account_id}.caption" if caller.sees(account_id) else "overrides")


def check_caption(caption: str, *, path: str) -> list[Fault]:
    """Everything about a caption that the platform would refuse; `path` is where the request holds it."""
    counts = (
        ("caption_too_long", "characters", len(caption), _CHARACTERS_MAX),
        ("too_many_hashtags", "hashtags", len(_HASHTAG.findall(caption)), _HASHTAGS_MAX),
        ("too_many_mentions", "@ tags", len(_TAG.findall(caption)), _TAGS_MAX),
    )
    return [
        Fault(code=code, message=f"The caption has {count:,} {what}; at most {most:,} are allowed.", path=path)
        for code, what, count, most in counts
        if count > most
    ]


def _refuse_caption(caption: str, *, path: str) -> list[Fault]:
    message = "A story shows no caption: the platform drops it. Leave it out, or write it into the picture."
    return [Fault(code="caption_not_taken", message=message, path=path)] if caption else []
