"""One colour for each state and name, on every board: what is green on one is green on all."""

from __future__ import annotations

from typing import Final

GREEN: Final = "#56A64B"
YELLOW: Final = "#E0B400"
ORANGE: Final = "#F2833A"
RED: Final = "#E02F44"
BLUE: Final = "#3274D9"
LIGHT_BLUE: Final = "#8AB8FF"
TEAL: Final = "#3AA6A6"
PURPLE: Final = "#A352CC"
DARK: Final = "#7A3B69"
GREY: Final = "#8E99A8"

OF_SERIES: Final = {
    # what came of something
    "published": GREEN,
    "done": GREEN,
    "ok": GREEN,
    "confirmed": GREEN,
    "sent": GREEN,
    "delivered": GREEN,
    "distributed": GREEN,
    "fired": GREEN,
    "retried": YELLOW,
    "held": YELLOW,
    "skipped": YELLOW,
    "stale": YELLOW,
    "refused": ORANGE,
    "unreachable": ORANGE,
    "dropped": ORANGE,
    "timeout": YELLOW,
    "failed": RED,
    "dead": RED,
    "broken": RED,
    "returned": DARK,
    "unknown": PURPLE,
    "outcome_unknown": PURPLE,
    "unclear": PURPLE,
    "missed": DARK,
    "waits": LIGHT_BLUE,
    "busy": LIGHT_BLUE,
    "expired": GREY,
    "gone": GREY,
    # where something stands
    "scheduled": LIGHT_BLUE,
    "publishing": BLUE,
    "NEW": LIGHT_BLUE,
    "WARMING_UP": TEAL,
    "ACTIVE": GREEN,
    "PAUSED": GREY,
    "NEEDS_REAUTH": ORANGE,
    "RESTRICTED": RED,
    "DISCONNECTED": DARK,
    "under_half": GREEN,
    "over_half": YELLOW,
    "over_90": ORANGE,
    "full": RED,
    # answers of the API
    "2xx": GREEN,
    "3xx": LIGHT_BLUE,
    "4xx": YELLOW,
    "5xx": RED,
    # services
    "api": BLUE,
    "scheduler": PURPLE,
    "publisher": TEAL,
    "health": YELLOW,
    # shares of a distribution
    "p50": LIGHT_BLUE,
    "p95": BLUE,
    "p99": PURPLE,
}
