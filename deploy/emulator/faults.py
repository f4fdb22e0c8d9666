"""Faults to order: which exist, which wait, and which call meets one.

A kind is a row of `KINDS`; a new one that only combines these parts needs no code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from deploy.emulator.errors import ACTION_BLOCKED, SERVER_ERROR, ErrorKind

ANY = "any"
ENDPOINTS = (
    "create_container",
    "get_container",
    "media_publish",
    "content_publishing_limit",
    "list_media",
    "get_media",
    "get_account",
)
FAULTS_MAX = 1000


@dataclass(frozen=True, kw_only=True)
class FaultKind:
    """What happens to a call that meets such a fault."""

    has_effect: bool  # the call does its work first; a call refused for its own sake leaves the fault waiting
    answer: Literal["error", "drop", "late"]
    error: ErrorKind | None = None  # what an "error" answers unless the fault names a code


KINDS: dict[str, FaultKind] = {
    "error": FaultKind(has_effect=False, answer="error", error=SERVER_ERROR),
    "error_but_published": FaultKind(has_effect=True, answer="error", error=ACTION_BLOCKED),
    "drop_before": FaultKind(has_effect=False, answer="drop"),
    "drop_after": FaultKind(has_effect=True, answer="drop"),
    "timeout": FaultKind(has_effect=True, answer="late"),
}


@dataclass(kw_only=True, eq=False)
class Fault:
    """A fault that waits for calls."""

    endpoint: str  # one of ENDPOINTS, or ANY
    kind_name: str
    left: int  # calls it will still meet
    ig_user_id: str | None = None  # None: calls of any account
    error: ErrorKind | None = None  # what "error" kinds answer
    seconds: float | None = None  # how late a "late" answer is; None: never, until the client leaves

    @property
    def kind(self) -> FaultKind:
        """The row of its kind."""
        return KINDS[self.kind_name]

    def meets(self, endpoint: str, ig_user_id: str) -> bool:
        """Whether a call is one it waits for."""
        return self.left > 0 and self.endpoint in {ANY, endpoint} and self.ig_user_id in {None, ig_user_id}

    def as_json(self) -> dict[str, Any]:
        """What GET /_emulator/faults shows of it."""
        return {
            "endpoint": self.endpoint,
            "kind": self.kind_name,
            "left": self.left,
            "ig_user_id": self.ig_user_id,
            "code": self.error.code if self.error else None,
            "subcode": self.error.subcode if self.error else None,
            "seconds": self.seconds,
        }


class FaultBook:
    """The faults that wait, in the order they were ordered."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order a fault.

        Raises:
            ValueError: too many wait already; let some happen, or reset.
        """
        self._faults = self.left()
        if len(self._faults) >= FAULTS_MAX:
            raise ValueError(f"{FAULTS_MAX} faults wait already; let some happen, or POST /_emulator/reset")
        self._faults.append(fault)

    def take(self, endpoint: str, ig_user_id: str) -> Fault | None:
        """The first fault for this call, now spent once."""
        for fault in self._faults:
            if fault.meets(endpoint, ig_user_id):
                fault.left -= 1
                return fault
        return None

    def give_back(self, fault: Fault) -> None:
        """Unspend a fault whose call had no effect to follow."""
        fault.left += 1
        if fault not in self._faults:  # cleaned away while it stood at zero
            self._faults.append(fault)

    def left(self) -> list[Fault]:
        """The faults that still wait."""
        return [fault for fault in self._faults if fault.left > 0]
