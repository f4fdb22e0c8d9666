"""Names that people give to things."""

from __future__ import annotations

from services.api.http import invalid

_CHARS_MAX = 100


def clean_name(name: str) -> str:
    """A name without blanks around it.

    Raises:
        ProblemError: it is empty, too long, or holds what cannot be shown.
    """
    cleaned = name.strip()
    if not 1 <= len(cleaned) <= _CHARS_MAX or not cleaned.isprintable():
        raise invalid("invalid_value", f"A name has 1 to {_CHARS_MAX} printable characters.", path="name")
    return cleaned
