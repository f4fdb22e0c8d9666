from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

_BASE = 18_000_000_000_000_000  # beyond 2**53, as the platform's
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


class Ids:
    """Gives numeric ids that grow. Counted on from the microsecond of the start, so none comes back after a restart."""

    def __init__(self, *, now: datetime) -> None:
        self._last = _BASE + (now - _EPOCH) // timedelta(microseconds=1)

    def next(self) -> str:
        """A new id."""
        self._last += 1
        return str(self._last)


def shortcode(any_id: str) -> str:
    """The id as it stands in permalinks."""
    number, code = int(any_id), ""
    while number:
        number, digit = divmod(number, len(_LETTERS))
        code = _LETTERS[digit] + code
    return code


def id_of_shortcode(code: str) -> str:
    """The id a shortcode was made of; some number for a string of other letters."""
    number = 0
    for letter in code:
        number = number * len(_LETTERS) + max(0, _LETTERS.find(letter))
    return str(number)
