from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.emulator.call import Call
from deploy.emulator.calls import CallRecord
from deploy.emulator.errors import GraphError

_BAD_GATEWAY = 502


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What came of a call, before any of it is sent."""

    body: dict[str, Any]
    error: GraphError | None = None
    call: Call | None = None  # None: it could not be found whose it is

    @property
    def answer(self) -> str:
        """How it is told: the fault's way, or plainly."""
        return self.call.fault.kind.answer if self.call and self.call.fault else "plain"

    @property
    def status(self) -> int | None:
        """The HTTP status; None if no answer is sent."""
        fault = self.call.fault if self.call else None
        if self.answer == "drop" or (fault and self.answer == "late" and fault.seconds is None):
            return None
        if self.answer == "html":
            return _BAD_GATEWAY
        return self.error.kind.http_status if self.error else 200

    def record(self, *, method: str, endpoint: str, now: datetime) -> CallRecord:
        """What is kept of it."""
        call, kind = self.call, self.error.kind if self.error else None
        return CallRecord(
            at=now,
            method=method,
            endpoint=endpoint,
            ig_user_id=call.account.ig_user_id if call else None,
            container_id=call.container_id if call else None,
            media_id=call.media_id if call else None,
            status=self.status,
            code=kind.code if kind else None,
            subcode=kind.subcode if kind else None,
            fault=call.fault.kind_name if call and call.fault else None,
        )
