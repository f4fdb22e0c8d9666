"""SQL of warm-up protocols."""

from __future__ import annotations

from services.api.protocols.contract import Protocol
from shared.database import Connection, Row

_LIST = """
    SELECT id, name, description, daily_caps, min_gap_s, success_ratio
    FROM warmup_protocols
    ORDER BY id
"""


async def find_all(connection: Connection) -> list[Protocol]:
    """All protocols there are: a handful, the same for every tenant."""
    return [_present(row) for row in await connection.fetch(_LIST)]


def _present(row: Row) -> Protocol:
    # As `next_day` in shared/accounts/warmup.py decides.
    rule = (
        "A day is 24 hours from its begin. It counts if something was published in it, at least"
        f" {row['success_ratio']:.0%} of what ended succeeded, and the account did not need its owner; otherwise it"
        f" is repeated. After {len(row['daily_caps'])} days that count the cap is over."
    )
    return Protocol(**dict(row), advance_rule=rule)
