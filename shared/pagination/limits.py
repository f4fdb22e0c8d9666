"""How many rows, and which page: what clients write, made into safe numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from shared.pagination.errors import PaginationError

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DIGITS_MAX = 12  # more than any bound here; int() itself refuses texts of thousands of digits
_PAGE_MAX = 1_000_000  # keeps page x limit far inside PostgreSQL's bigint


class _Limits(NamedTuple):
    MIN: int = 1
    DEFAULT: int = 50
    MAX: int = 100


PAGINATION_LIMITS = _Limits()


def sanitize_limit(value: object) -> int:
    """A limit from 1 to 100 whatever was given; 50 for what is no number."""
    number = _number(value)
    return PAGINATION_LIMITS.DEFAULT if number is None else _clamp(number, PAGINATION_LIMITS.MIN, PAGINATION_LIMITS.MAX)


def sanitize_page(value: object) -> int:
    """A page from 1 upwards whatever was given; 1 for what is no number."""
    number = _number(value)
    return 1 if number is None else _clamp(number, 1, _PAGE_MAX)


def parse_limit(query: Mapping[str, str]) -> int:
    """The limit a client asked for, brought into 1 to 100; 50 if it did not ask.

    Raises:
        PaginationError: it is no whole number (`invalid_limit`). Answer 400.
    """
    return sanitize_limit(_asked(query, "limit"))


def parse_page(query: Mapping[str, str]) -> int:
    """The page a client asked for; 1 if it did not ask.

    Raises:
        PaginationError: it is no whole number (`invalid_page`). Answer 400.
    """
    return sanitize_page(_asked(query, "page"))


def _asked(query: Mapping[str, str], name: str) -> str | None:
    text = query.get(name)
    if text is not None and not _WHOLE_NUMBER.fullmatch(text):
        raise PaginationError(f"{name!r} must be a whole number.", code=f"invalid_{name}")
    return text


def _number(value: object) -> int | None:
    if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value.strip()):
        return int(value.strip()[:_DIGITS_MAX])  # cut off, a number stays beyond every bound on its side
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _clamp(number: int, low: int, high: int) -> int:
    return max(low, min(number, high))
