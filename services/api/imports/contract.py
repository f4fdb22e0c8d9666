"""What clients send and get of imports."""

from __future__ import annotations

from uuid import UUID

import msgspec

from services.api.http import Body, FilePart, Query


class ImportFile(Body, frozen=True, kw_only=True):
    """A form with a CSV file."""

    file: FilePart


class ImportQuery(Query, frozen=True, kw_only=True):
    """Whether to check the file and write nothing."""

    dry_run: bool = False


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    created: int
    updated: int
    unchanged: int
    dry_run: bool
    accounts: list[UUID] | msgspec.UnsetType = msgspec.UNSET  # of all rows, in their order; absent in a dry run
