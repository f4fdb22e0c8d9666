"""How many messages wait in our queues."""

from __future__ import annotations

from aio_pika.abc import AbstractChannel

from shared.jobs.topology import QUEUES

_CALL_DEADLINE_S = 5.0


async def count_messages(channel: AbstractChannel) -> dict[str, int]:
    """Messages that wait in each of our queues, by name; probes are among them.

    Args:
        channel: on a connection that publishes, the broker does not answer while it blocks that.

    Raises:
        one of BROKER_ERRORS: the broker does not answer, or a queue is gone. Open another channel.
    """
    counts = {}
    for queue in QUEUES:
        declared = await channel.declare_queue(queue.name, passive=True, timeout=_CALL_DEADLINE_S)
        counts[queue.name] = declared.declaration_result.message_count or 0
    return counts
