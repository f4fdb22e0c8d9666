"""What the doctor found: one sentence about what is, one about what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    SKIPPED = "skipped"  # not looked at, and `says` tells why
    WARNING = "warning"  # it works, and should be seen to
    FAILED = "failed"  # it does not work, or soon will not


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one look came to."""

    level: Level
    says: str  # plain sentences
    do: str = ""  # plain sentences; empty where there is nothing to do


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A verdict with the name of its check."""

    check: str  # area and subject: `postgres.clock`
    level: Level
    says: str
    do: str


def ok(says: str) -> Verdict:
    """All is well."""
    return Verdict(level=Level.OK, says=says)


def skipped(says: str) -> Verdict:
    """There was nothing to look at."""
    return Verdict(level=Level.SKIPPED, says=says)


def warning(says: str, *, do: str) -> Verdict:
    """It works, and should be seen to."""
    return Verdict(level=Level.WARNING, says=says, do=do)


def failed(says: str, *, do: str) -> Verdict:
    """It does not work, or soon will not."""
    return Verdict(level=Level.FAILED, says=says, do=do)
