from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

CALLS_KEPT = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRecord:
    """One Graph call as the emulator saw it. Holds no token, no query and no caption."""

    at: datetime
    method: str
    endpoint: str  # one of faults.ENDPOINTS, or "unknown"
    ig_user_id: str | None  # None: the token opened no account
    container_id: str | None
    media_id: str | None
    status: int | None  # None: no answer was sent
    code: int | None  # of the error answered
    subcode: int | None
    fault: str | None  # kind of the injected fault that met it


class CallLog:
    """The latest calls, oldest first."""

    def __init__(self) -> None:
        self._records: deque[CallRecord] = deque(maxlen=CALLS_KEPT)

    def append(self, record: CallRecord) -> None:
        """Remember a call; the oldest one beyond the bound is forgotten."""
        self._records.append(record)

    def select(self, *, endpoint: str | None = None, ig_user_id: str | None = None) -> Iterator[CallRecord]:
        """The remembered calls, all or those of one endpoint or account."""
        return (
            record
            for record in self._records
            if endpoint in {None, record.endpoint} and ig_user_id in {None, record.ig_user_id}
        )
