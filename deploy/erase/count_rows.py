"""How much there is of a user."""

from __future__ import annotations

from uuid import UUID

from deploy.erase.tables import STORES
from shared.database import Connection


async def count_rows(connection: Connection, user_id: UUID) -> dict[str, int]:
    """Rows by table, without those that have none."""
    counts = {store.name: await connection.fetchval(store.count, user_id) for store in STORES}
    return {name: count for name, count in counts.items() if count}
