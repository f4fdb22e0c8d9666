"""Faults to order: which exist, which wait, and which call meets one.

A kind is a row of `KINDS`; a new one that only combines these parts needs no code.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Literal

from deploy.emulator.error_table import (
    ACCOUNT_THROTTLED,
    ACTION_BLOCKED,
    NO_SUCH_OBJECT,
    NOT_READY,
    SERVER_ERROR,
    TOKEN_REVOKED,
    VIDEO_FAILED,
)
from deploy.emulator.errors import ErrorKind

ANY = "any"
READS = (
    "get_container",
    "content_publishing_limit",
    "list_media",
    "list_stories",
    "list_children",
    "get_media",
    "get_account",
    "media_insights",
    "account_insights",
)
ENDPOINTS = ("create_container", "media_publish", *READS, "exchange_code", "exchange_token", "refresh_token")
FAULTS_MAX = 1000


@dataclass(frozen=True, kw_only=True)
class FaultKind:
    """What happens to a call that meets such a fault."""

    has_effect: bool  # the call does its work first; a call refused for its own sake leaves the fault waiting
    answer: Literal["error", "drop", "late", "html", "plain"]
    error: ErrorKind | None = None  # what it is told as, unless the fault names a code
    takes_seconds: bool = False
    endpoints: tuple[str, ...] = ENDPOINTS  # where it can happen
    effect: Literal["throttle", "revoke"] | None = None  # on what comes after the call


KINDS: dict[str, FaultKind] = {
    "error": FaultKind(has_effect=False, answer="error", error=SERVER_ERROR),
    "error_but_published": FaultKind(has_effect=True, answer="error", error=ACTION_BLOCKED),
    "drop_before": FaultKind(has_effect=False, answer="drop"),
    "drop_after": FaultKind(has_effect=True, answer="drop"),
    "timeout": FaultKind(has_effect=True, answer="late", takes_seconds=True),
    "http_500": FaultKind(has_effect=False, answer="error", error=SERVER_ERROR),
    "html_502": FaultKind(has_effect=False, answer="html"),
    "html_502_but_published": FaultKind(has_effect=True, answer="html"),
    "throttle": FaultKind(
        has_effect=False, answer="error", error=ACCOUNT_THROTTLED, takes_seconds=True, effect="throttle"
    ),
    "token_revoked": FaultKind(has_effect=False, answer="error", error=TOKEN_REVOKED, effect="revoke"),
    "slow_processing": FaultKind(has_effect=True, answer="plain", takes_seconds=True, endpoints=("create_container",)),
    "container_error": FaultKind(has_effect=True, answer="plain", error=VIDEO_FAILED, endpoints=("create_container",)),
    "not_ready": FaultKind(has_effect=False, answer="error", error=NOT_READY, endpoints=("media_publish",)),
    "read_glitch": FaultKind(has_effect=False, answer="error", error=NO_SUCH_OBJECT, endpoints=READS),
}


@dataclass(kw_only=True, eq=False)
class Fault:
    """A fault that waits for calls."""

    endpoint: str  # one of ENDPOINTS, or ANY that its kind can happen to
    kind_name: str
    left: int  # calls it will still meet
    ig_user_id: str | None = None  # None: calls of any account
    error: ErrorKind | None = None  # what it is told as
    seconds: float | None = None  # of a late answer, None: never; of a throttle; of slow processing
    probability: float = 1.0  # that it meets a call it waits for
    seed: int = 0  # of the dice
    is_cleared: bool = False
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - to be repeated, not to be secret

    @property
    def kind(self) -> FaultKind:
        """The row of its kind."""
        return KINDS[self.kind_name]

    def meets(self, endpoint: str, ig_user_id: str) -> bool:
        """Whether it meets a call; every call that it waits for throws the dice once."""
        return (
            self.left > 0
            and self.endpoint in {ANY, endpoint}
            and endpoint in self.kind.endpoints
            and self.ig_user_id in {None, ig_user_id}
            and (self.probability >= 1 or self._dice.random() < self.probability)
        )

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
            "probability": self.probability,
            "seed": self.seed,
        }


class FaultBook:
    """The faults that wait, in the order they were ordered."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order a fault.

        Raises:
            ValueError: too many wait already; let some happen, or clear them.
        """
        self._faults = self.left()
        if len(self._faults) >= FAULTS_MAX:
            raise ValueError(f"{FAULTS_MAX} faults wait already; let some happen, or DELETE /_emulator/faults")
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
        if fault.is_cleared:
            return
        fault.left += 1
        if fault not in self._faults:  # cleaned away while it stood at zero
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget those that wait."""
        for fault in self._faults:
            fault.is_cleared = True
        self._faults = []

    def left(self) -> list[Fault]:
        """The faults that still wait."""
        return [fault for fault in self._faults if fault.left > 0]
