"""What an import is made of: its rows, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from shared.errors import InstaDistroError


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """One account that passed. None stands for what was not said, and leaves a known account's value alone."""

    line: int | None  # of a file, for messages
    username: str
    instagram_user_id: str
    access_token: str | None
    token_expires_at: datetime | None
    tags: tuple[str, ...] | None
    proxy_id: UUID | None = None
    protocol_id: str | None = None


class RowFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with one row."""

    code: str
    message: str
    line: int | None
    field: str


class RowsRefusedError(InstaDistroError):
    """Rows that cannot be imported as things stand. Nothing was written; mend them, send all of them again."""

    def __init__(self, faults: Sequence[RowFault]) -> None:
        self.faults = faults  # all of them, in the order of the rows
        super().__init__(f"{len(faults)} row(s) cannot be imported")
