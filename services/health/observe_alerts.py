"""Gauges of what is wrong: live alerts of all tenants."""

from __future__ import annotations

from itertools import product

from shared import metrics
from shared.alerts import AlertCode, Severity
from shared.database import Pool

_LIVE = """
    SELECT code, severity, count(*) AS alerts
    FROM alerts
    WHERE state <> 'resolved'
    GROUP BY code, severity
"""


async def observe_alerts_once(pool: Pool) -> None:
    """Count the live alerts and set their gauges, those without any too."""
    counted = {(row["code"], row["severity"]): row["alerts"] for row in await pool.fetch(_LIVE)}
    for code, severity in product(AlertCode, Severity):
        metrics.alerts_live.labels(code=code.value, severity=severity.value).set(counted.get((code, severity), 0))
