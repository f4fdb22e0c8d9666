"""Probes: messages that stand in a work queue only to learn how long one stands there.

The worker whose turn it is refuses a probe, and the work queue's dead-letter exchange carries it back to whoever sent
it. So an answer is one small frame among the acknowledgements. A message published on the worker's connection would do
as well, until the broker runs short of memory: then it blocks that connection, reads no acknowledgement any more, and
the queue that fills its memory is never emptied.
"""

from __future__ import annotations

from aiormq.abc import DeliveredMessage

_PROBE = "probe"


def probe_key(service: str, asker: str) -> str:
    """The routing key of a probe for the queue of a service.

    Args:
        service: whose queue; `*` for the pattern by which the answers of all of them come back.
        asker: a word that nobody else uses.
    """
    return f"{_PROBE}.{service}.{asker}"


def is_probe(message: DeliveredMessage) -> bool:
    """Whether a delivery is a probe. Refuse it without requeueing: that is the answer."""
    return (message.routing_key or "").startswith(f"{_PROBE}.")
