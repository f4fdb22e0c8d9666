"""The platform's limits of a caption."""

from __future__ import annotations

import re

from services.api.http import Fault

_CHARACTERS_MAX = 2200
_HASHTAGS_MAX = 30
_TAGS_MAX = 20
_HASHTAG = re.compile(r"#\w")
_TAG = re.compile(r"(?<![\w.])@\w")  # an @ within a word is a mail address


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
