"""How much of the call limits is used, as the platform's headers tell with its answers, refusals included."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.instagram.account import GraphAccount
from shared.instagram.errors import InstagramError

APP_USAGE = "X-App-Usage"
ACCOUNT_USAGE = "X-Business-Use-Case-Usage"

# Documented, and as graph.instagram.com was seen to send them.
_PERCENTAGES = ("call_count", "total_cputime", "total_time", "call_volume", "cpu_time")
_REGAIN_MINUTES = "estimated_time_to_regain_access"
_OBJECTS_MAX = 32
_NUMBER_MAX = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Shares of the limits in use, 100 and more meaning that calls are refused. None: the platform did not say."""

    app_percent: int | None = None  # of all accounts of the app together
    account_percent: int | None = None  # of the account that the call was for
    regain_s: float | None = None  # until the account may call again; 0 while it may


class Watch(Protocol):
    """Is told of every exchange for an account that came to an end, which a canceled one does not."""

    def saw(self, account: GraphAccount, operation: str, *, usage: Usage | None, error: InstagramError | None) -> None:
        """Take note, at once and without raising.

        Args:
            account: whom the call was for.
            operation: the client's method, as in its errors.
            usage: what the answer said of the limits, if it said anything.
            error: what the call raises; None where it succeeded.
        """
        ...


def read_usage(headers: Mapping[str, str]) -> Usage | None:
    """The usage told by an answer's headers; None where they tell nothing that can be read."""
    accounts = list(_instagram_objects(_json(headers.get(ACCOUNT_USAGE))))
    minutes = _highest(entry.get(_REGAIN_MINUTES) for entry in accounts)
    usage = Usage(
        app_percent=_percent([_json(headers.get(APP_USAGE))]),
        account_percent=_percent(accounts),
        regain_s=None if minutes is None else minutes * 60,
    )
    return None if usage == Usage() else usage


def _instagram_objects(value: object) -> Iterable[Mapping[str, Any]]:
    """Those of type instagram under whatever id: it is not always the account's."""
    if not isinstance(value, dict):
        return []
    lists = [entries for entries in value.values() if isinstance(entries, list)]
    flat = [entry for entries in lists for entry in entries if isinstance(entry, dict)]
    return [entry for entry in flat if entry.get("type") == "instagram"][:_OBJECTS_MAX]


def _percent(entries: Iterable[object]) -> int | None:
    highest = _highest(entry.get(name) for entry in entries if isinstance(entry, dict) for name in _PERCENTAGES)
    return None if highest is None else math.ceil(highest)


def _highest(values: Iterable[object]) -> float | None:
    numbers = [
        float(value)
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _NUMBER_MAX
    ]
    return max(numbers, default=None)


def _json(text: str | None) -> object:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
