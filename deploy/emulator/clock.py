from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """The emulator's time: the machine's, plus what it was advanced by. Every lifetime and window is read from it."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The present moment (aware, UTC)."""
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once. Time never runs backwards: stored entries stay in order of age.

        Raises:
            ValueError: `seconds` is negative; give zero or more.
        """
        if seconds < 0:
            raise ValueError(f"the clock only goes forward, not by {seconds:g} s")
        self._ahead += timedelta(seconds=seconds)

    def ahead_s(self) -> float:
        """How far it is ahead of the machine's, in seconds."""
        return self._ahead.total_seconds()

    def reset(self) -> None:
        """Return to the machine's time. Only together with a new world, in which nothing is older than now."""
        self._ahead = timedelta()
