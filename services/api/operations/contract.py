"""What clients send and get of operations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from services.api.http import Fault, PageQuery

#: Seconds after which it is worth asking again.
RETRY_AFTER = "1"


class OperationState(StrEnum):
    """Where an operation stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class OperationType(StrEnum):
    """What is done; the name of the job that does it."""

    IMPORT_ACCOUNTS = "import:accounts"


class OperationsQuery(PageQuery, frozen=True, kw_only=True):
    """Which operations."""

    state: OperationState | None = None
    type: OperationType | None = None


class OperationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did."""

    created: int
    updated: int
    unchanged: int
    accounts: list[UUID] | msgspec.UnsetType = msgspec.UNSET  # of all rows, in their order; absent in lists


class OperationProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why it failed, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[Fault]
    retryable: bool


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """Long work that somebody may watch."""

    id: UUID
    type: OperationType
    state: OperationState
    done: int
    total: int | None
    progress: Annotated[float, msgspec.Meta(ge=0, le=1)]
    result: OperationResult | None  # null until it has succeeded
    problem: OperationProblem | None  # null unless it has failed
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.finished_at is not None
