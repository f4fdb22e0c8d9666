"""Probes: messages that stand in a work queue only to learn how long one stands there.

The worker whose turn it is sends the probe back to whoever asked. Not on its consuming connection: a broker that is
short of memory blocks a connection at its first publish and reads no acknowledgement on it any more.
"""

from __future__ import annotations

import asyncio

import structlog
from aiormq.abc import DeliveredMessage

from shared.jobs.delivery import Delivery
from shared.jobs.outlet import Parcel
from shared.jobs.sender import NotSentError, Sender
from shared.jobs.topology import PROBES

_PROBE = "probe"
# A probe that is being answered stands where a job could: while the broker takes no publishes, not for long.
_ANSWER_DEADLINE_S = 0.5

log = structlog.get_logger()


def probe_key(service: str, asker: str) -> str:
    """The routing key of a probe for the queue of a service, and of its answer.

    Args:
        service: whose queue; `*` for the pattern by which the answers of all of them come back.
        asker: a word that nobody else uses.
    """
    return f"{_PROBE}.{service}.{asker}"


def is_probe(message: DeliveredMessage) -> bool:
    """Whether a delivery is a probe."""
    return (message.routing_key or "").startswith(f"{_PROBE}.")


async def answer_probe(delivery: Delivery, *, sender: Sender) -> None:
    """Send a probe back. Tried once: whoever asked gives up a probe that is lost, and sends another."""
    answer = Parcel(
        exchange=PROBES, routing_key=delivery.routing_key, body=delivery.message.body, headers={}, priority=None
    )
    try:
        async with asyncio.timeout(_ANSWER_DEADLINE_S):
            await sender.publish(answer)
    except (NotSentError, TimeoutError) as error:
        log.warning("probe.not_answered", error=str(error) or "no confirm in time")
    delivery.ack()
