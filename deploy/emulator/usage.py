"""How much was called lately, what is left, and the headers that tell."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime

import msgspec

from deploy.emulator.options import Options

HOUR_S = 3600
DAY_S = 24 * HOUR_S
_MINUTE_S = 60


class Budget:
    """The calls that a rolling window saw, to the nearest slot, and until when it is closed to more.

    Its memory does not grow with the calls. Calls that are refused for it are not counted: whether they lengthen the
    wait is for the platform to know.
    """

    def __init__(self, *, window_s: int, slots: int) -> None:
        self._slot_s = window_s / slots
        self._slots = slots
        self._counts: deque[tuple[int, int]] = deque()  # (slot number, calls), oldest first
        self._total = 0
        self._closed_until: datetime | None = None

    def add(self, now: datetime) -> None:
        """Count one call."""
        slot = int(now.timestamp() // self._slot_s)
        before = self._counts.pop()[1] if self._counts and self._counts[-1][0] == slot else 0
        self._counts.append((slot, before + 1))
        self._total += 1

    def used(self, now: datetime) -> int:
        """The calls in the window."""
        oldest = int(now.timestamp() // self._slot_s) - self._slots
        while self._counts and self._counts[0][0] <= oldest:
            self._total -= self._counts.popleft()[1]
        return self._total

    def close(self, until: datetime) -> None:
        """Refuse every call until then."""
        self._closed_until = until

    def regain_s(self, now: datetime, *, allowance: int | None) -> float:
        """Seconds until a call is taken again; 0 if it is taken now. Without an allowance only `close` counts."""
        wait = (self._closed_until - now).total_seconds() if self._closed_until is not None else 0.0
        if allowance is not None and (over := self.used(now) - allowance + 1) > 0:
            wait = max(wait, self._until_freed_s(over, now))
        return max(0.0, wait)

    def _until_freed_s(self, calls: int, now: datetime) -> float:
        freed = 0
        for slot, count in self._counts:
            freed += count
            if freed >= calls:
                return (slot + self._slots) * self._slot_s - now.timestamp()
        return 0.0


def usage_headers(options: Options, *, app: Budget, account: Budget, business_id: str, now: datetime) -> dict[str, str]:
    """Both usage headers, in percent of the allowances. Times of CPU are not modelled and stay 0."""
    app_regain_s, account_regain_s = regain(options, app=app, account=account, now=now)
    app_percent = 100 if app_regain_s else _percent(app.used(now), options.app_calls_per_hour)
    account_percent = 100 if account_regain_s else _percent(account.used(now), options.account_calls_per_day)
    app_usage = (
        {"call_volume": app_percent, "cpu_time": 0}
        if options.usage_keys == "observed"
        else {"call_count": app_percent, "total_time": 0, "total_cputime": 0}
    )
    account_usage = {
        "type": "instagram",
        "call_count": account_percent,
        "total_cputime": 0,
        "total_time": 0,
        "estimated_time_to_regain_access": math.ceil(account_regain_s / _MINUTE_S),
    }
    return {
        "X-App-Usage": msgspec.json.encode(app_usage).decode(),
        "X-Business-Use-Case-Usage": msgspec.json.encode({business_id: [account_usage]}).decode(),
    }


def regain(options: Options, *, app: Budget, account: Budget, now: datetime) -> tuple[float, float]:
    """Seconds until the application and the account may call again; 0 for now."""
    enforced = options.enforce_allowance
    return (
        app.regain_s(now, allowance=options.app_calls_per_hour if enforced else None),
        account.regain_s(now, allowance=options.account_calls_per_day if enforced else None),
    )


def _percent(used: int, allowance: int) -> int:
    return min(100, used * 100 // allowance)
