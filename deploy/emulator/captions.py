from __future__ import annotations

import re

from deploy.emulator.error_table import CAPTION_TOO_LONG, INVALID_PARAMETER
from deploy.emulator.errors import GraphError

CAPTION_CHARACTERS_MAX = 2200
HASHTAGS_MAX = 30
TAGS_MAX = 20
ALT_TEXT_CHARACTERS_MAX = 1000

_HASHTAG = re.compile(r"#\w")
_TAG = re.compile(r"(?<![\w.])@\w")  # an @ within a word is a mail address


def check_caption(caption: str) -> None:
    """Hold a caption against the platform's limits.

    Raises:
        GraphError: more than 2200 characters, 30 hashtags or 20 @ tags.
    """
    over = []
    if len(caption) > CAPTION_CHARACTERS_MAX:
        over.append(f"{len(caption)} characters")
    if (hashtags := len(_HASHTAG.findall(caption))) > HASHTAGS_MAX:
        over.append(f"{hashtags} hashtags")
    if (tags := len(_TAG.findall(caption))) > TAGS_MAX:
        over.append(f"{tags} @ tags")
    if over:
        raise GraphError(CAPTION_TOO_LONG, f"The caption was too long: {', '.join(over)}")


def check_alt_text(alt_text: str) -> None:
    """Hold an alternative text against its limit of 1000 characters.

    Raises:
        GraphError: it is longer.
    """
    if len(alt_text) > ALT_TEXT_CHARACTERS_MAX:
        raise GraphError(INVALID_PARAMETER, f"Param alt_text must be at most {ALT_TEXT_CHARACTERS_MAX} characters long")
