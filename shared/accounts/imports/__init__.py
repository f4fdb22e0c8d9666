"""Adding accounts and changing known ones, all of them or none; and the rows of an import on their way to a worker."""

from shared.accounts.imports.plan_upsert import UpsertPlan, plan_upsert
from shared.accounts.imports.rows import AccountRow, RowFault, RowsRefusedError
from shared.accounts.imports.sealed_rows import open_rows, seal_rows
from shared.accounts.imports.store import lock_known
from shared.accounts.imports.upsert import Imported, Release, apply_import, apply_upsert

__all__ = [
    "AccountRow",
    "Imported",
    "Release",
    "RowFault",
    "RowsRefusedError",
    "UpsertPlan",
    "apply_import",
    "apply_upsert",
    "lock_known",
    "open_rows",
    "plan_upsert",
    "seal_rows",
]
