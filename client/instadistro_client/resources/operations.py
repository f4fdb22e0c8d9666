"""Long work that can be watched, and the log of who changed what."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from instadistro_client.pages import Listing
from instadistro_client.resources.resource import Id, Resource
from instadistro_client.shapes import AuditEntry, Operation

_ENDED = frozenset({"succeeded", "failed"})
_LOOK_EVERY_S = 0.5


class AuditLog(Resource):
    """`/v1/audit-log`."""

    def list(
        self,
        *,
        subject_type: str | None = None,
        subject_id: Id | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
    ) -> Listing[AuditEntry]:
        """Who changed what, newest first."""
        filters: dict[str, Any] = {"subject_type": subject_type, "subject_id": subject_id, "from": begin, "to": end}
        return self._list("/v1/audit-log", AuditEntry, **filters)


class Operations(Resource):
    """`/v1/operations`."""

    def list(self, *, state: str | None = None, type_: str | None = None) -> Listing[Operation]:
        """Long work, newest first."""
        return self._list("/v1/operations", Operation, state=state, type=type_)

    async def get(self, operation_id: Id) -> Operation:
        """One operation, with its progress."""
        return await self._get(f"/v1/operations/{operation_id}", Operation)

    async def wait(self, operation_id: Id, *, deadline_s: float = 600.0) -> Operation:
        """The operation when it has ended, well or not.

        Raises:
            TimeoutError: it did not end within `deadline_s`; it goes on.
        """
        async with asyncio.timeout(deadline_s):
            while (operation := await self.get(operation_id)).state not in _ENDED:  # noqa: ASYNC110 - the work is done elsewhere
                await asyncio.sleep(_LOOK_EVERY_S)
            return operation
