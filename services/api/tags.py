"""Tags: what accounts and groups are labelled with."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_CHARS_MAX = 50
_TAGS_MAX = 20


def clean_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags without blanks around them, each once, in their order.

    Raises:
        ValueError: one is too long or holds what no label should; or there are too many. The text is for the client.
    """
    cleaned = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(cleaned) > _TAGS_MAX:
        raise ValueError(f"At most {_TAGS_MAX} tags are kept.")
    for tag in cleaned:
        if len(tag) > _CHARS_MAX:
            raise ValueError(f"A tag has at most {_CHARS_MAX} characters.")
        if ";" in tag or any(unicodedata.category(char).startswith("C") for char in tag):
            raise ValueError("A tag holds neither semicolons nor control characters.")
    return cleaned
