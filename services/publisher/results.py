"""What can come of a try: the words between the platform's steps and the row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.accounts import AccountState

Fault = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Published:
    """The post is live."""

    media_id: str | None  # None if the platform says it is live but does not list it
    permalink: str | None


@dataclass(frozen=True, kw_only=True)
class Failed:
    """It can never succeed as it is."""

    reason: str
    fault: Fault
    drop_container: bool = False
    unsend: bool = False


@dataclass(frozen=True, kw_only=True)
class Retry:
    """The try failed for the publication's own sake, and counts."""

    reason: str
    fault: Fault
    spent: str = "exhausted"  # the reason it fails with if this was its last try
    drop_container: bool = False
    unsend: bool = False


@dataclass(frozen=True, kw_only=True)
class Deferred:
    """Not now, through no fault of the publication: costs no attempt."""

    reason: str
    delay_s: float
    fault: Fault | None = None
    quota_total: int | None = None  # of a used up quota: what the platform allows in 24 hours, if it said so
    drop_container: bool = False
    unsend: bool = False


@dataclass(frozen=True, kw_only=True)
class Held:
    """The account cannot publish until a person acts."""

    reason: str
    account_state: AccountState | None  # where the account goes; None if it stays
    fault: Fault
    refused_token: bytes | None = field(default=None, repr=False)  # as stored, if it is the token that was refused
    unsend: bool = False


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """It may be live or not, and nothing more can be found out."""

    fault: Fault
    reason: str = "unverified"


Result = Published | Failed | Retry | Deferred | Held | Unknown
