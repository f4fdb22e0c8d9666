"""Numbers as a person reads them; `unknown` where nobody told."""

from __future__ import annotations

UNKNOWN = "unknown"
_MIB = 1024 * 1024
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def age(seconds: float | None) -> str:
    """A time span: `0.4 s`, `45 s`, `12 min`, `3 h`, `5 d`."""
    if seconds is None:
        return UNKNOWN
    if abs(seconds) < 10:  # noqa: PLR2004 - where tenths still matter
        return f"{seconds:.1f} s" if abs(seconds) >= 0.05 else "0 s"  # noqa: PLR2004 - what would be rounded to 0.0
    for size, unit in _UNITS:
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def moment(at: str | None) -> str:
    """An RFC 3339 time, short."""
    return "" if at is None else at.replace("+00:00", "Z")


def share(ratio: float | None) -> str:
    """A ratio in per cent."""
    return UNKNOWN if ratio is None else f"{ratio:.1%}"


def memory(size: int | None) -> str:
    """Bytes, in MiB."""
    return "" if size is None else f"{size / _MIB:,.0f} MiB"


def number(value: int | None) -> str:
    """A count."""
    return UNKNOWN if value is None else f"{value:,}"


def count(value: int, noun: str) -> str:
    """A count of things, with its noun."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"
