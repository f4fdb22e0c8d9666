"""Gauges that only a question answers: how much waits in the outbox and in the broker's queues."""

from __future__ import annotations

from shared import metrics
from shared.database import Pool
from shared.jobs import Sender

_OUTBOX = """
    SELECT count(*) AS due, coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8 AS oldest_s
    FROM outbox WHERE due_at <= now()
"""


async def observe_once(pool: Pool, sender: Sender) -> None:
    """Read the outbox and the queues, and set the gauges."""
    row = await pool.fetchrow(_OUTBOX)
    if row is not None:
        metrics.outbox_pending.set(row["due"])
        metrics.outbox_oldest_seconds.set(row["oldest_s"])
    for queue, depth in (await sender.depths()).items():
        metrics.queue_depth.labels(queue=queue).set(depth)
