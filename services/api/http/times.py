"""Times as clients write them: RFC 3339 with an offset, within what calendars and databases agree on."""

from __future__ import annotations

from datetime import datetime

import msgspec

from services.api.http.problems import invalid

_YEAR_MIN, _YEAR_MAX = 1970, 9000
NAIVE_MESSAGE = "The time needs an offset, such as 2030-01-31T18:00:00+01:00 or ...Z."


def aware(value: datetime, *, path: str) -> datetime:
    """The time itself, if it is unambiguous.

    Raises:
        ProblemError: no offset (`timezone_required`), or a year nobody means.
    """
    if value.tzinfo is None:
        raise invalid("timezone_required", NAIVE_MESSAGE, path=path)
    if not _YEAR_MIN <= value.year <= _YEAR_MAX:
        raise invalid("invalid_value", f"The year must lie from {_YEAR_MIN} to {_YEAR_MAX}.", path=path)
    return value


def parse_time(text: str, *, path: str) -> datetime:
    """A time from text.

    Raises:
        ProblemError: it is none, or ambiguous.
    """
    try:
        value = msgspec.convert(text, datetime)
    except msgspec.ValidationError as error:
        message = "This is no RFC 3339 time, such as 2030-01-31T18:00:00+01:00."
        raise invalid("invalid_value", message, path=path) from error
    return aware(value, path=path)
