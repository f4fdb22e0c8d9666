"""How long a part that dies is started again, and the error that says it was given up."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import InstaDistroError


class PartFailedError(InstaDistroError):
    """A part cannot be kept running. The text carries its last lines; mend what they say and start again."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """When a part that dies is started again, and when that is given up."""

    first_delay_s: float = 0.2
    longest_delay_s: float = 10.0
    stable_s: float = 60.0  # a life this long forgets earlier deaths
    deaths_max: int = 5  # so many within deaths_window_s stop everything
    deaths_window_s: float = 60.0
    say_waiting_every_s: float = 5.0
