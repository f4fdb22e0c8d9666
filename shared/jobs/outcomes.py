"""What may come of a job: the words between business code and the engine."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import InstaDistroError


class Transient(InstaDistroError):  # noqa: N818 - a word of the contract: handlers say Transient or Permanent
    """The job failed for now. It is tried again by its policy, or after `retry_after_s` if the cause named a time."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = None if retry_after_s is None else float(retry_after_s)


class Permanent(InstaDistroError):  # noqa: N818 - as above
    """The job can never succeed. It is parked among the dead jobs with this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Done:
    """Nothing more to do with this delivery."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """Deliver the job once more after a wait. A plain wait costs no attempt; a failure does.

    A handler gives `delay_ms` only; the rest is the engine's.
    """

    delay_ms: int
    failed: bool = False
    error: str | None = None  # of the failure
    away: bool = False  # one of our own servers was away
    suspect: bool = False  # its worker may have died of it: it still runs alone


@dataclass(frozen=True, kw_only=True)
class Dead:
    """Park the job."""

    reason: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Expired:
    """Drop the firing of a repeated job: its next one has come due."""


Outcome = Done | Again | Dead | Expired

#: The reason of a job whose workers die of it.
CRASH_LOOP = "crash_loop"
#: Reasons the engine itself gives; whatever else stands as a reason came from a handler's `Permanent`.
ENGINE_REASONS = frozenset(
    {"exhausted", CRASH_LOOP, "deadline", "unreadable", "undecodable", "unknown_type", "unknown_version"}
)
