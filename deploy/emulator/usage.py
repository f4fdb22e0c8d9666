"""How much was called lately, and the headers that tell."""

from __future__ import annotations

import json
from collections import deque
from datetime import datetime

from deploy.emulator.options import Options

HOUR_S = 3600
DAY_S = 24 * HOUR_S


class RollingCount:
    """How many events a rolling window saw, to the nearest slot; its memory does not grow with the events."""

    def __init__(self, *, window_s: int, slots: int) -> None:
        self._slot_s = window_s / slots
        self._slots = slots
        self._counts: deque[tuple[int, int]] = deque()  # (slot number, events), oldest first

    def add(self, now: datetime) -> int:
        """Count one event and return how many the window holds with it."""
        slot = int(now.timestamp() // self._slot_s)
        before = self._counts.pop()[1] if self._counts and self._counts[-1][0] == slot else 0
        self._counts.append((slot, before + 1))
        while self._counts[0][0] <= slot - self._slots:
            self._counts.popleft()
        return sum(count for _, count in self._counts)


def usage_headers(options: Options, *, app_calls: int, account_calls: int, business_id: str) -> dict[str, str]:
    """Both usage headers, in percent of the allowances. Times of CPU are not modelled and stay 0."""
    app = min(100, app_calls * 100 // options.app_calls_per_hour)
    account = min(100, account_calls * 100 // options.account_calls_per_day)
    app_usage = (
        {"call_volume": app, "cpu_time": 0}
        if options.usage_keys == "observed"
        else {"call_count": app, "total_time": 0, "total_cputime": 0}
    )
    business_usage = {
        "type": "instagram",
        "call_count": account,
        "total_cputime": 0,
        "total_time": 0,
        "estimated_time_to_regain_access": 0,
    }
    return {
        "X-App-Usage": json.dumps(app_usage),
        "X-Business-Use-Case-Usage": json.dumps({business_id: [business_usage]}),
    }
