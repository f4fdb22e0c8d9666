"""Whether the broker takes jobs: one that no queue wants is sent, and must come back."""

from __future__ import annotations

from contextlib import suppress

from aio_pika import Message
from aio_pika.abc import AbstractExchange
from aio_pika.exceptions import DeliveryError, PublishError
from aiormq.exceptions import ChannelAccessRefused

from deploy.doctor.broker import Broker
from deploy.doctor.finding import Verdict, failed, ok
from shared.jobs.blocked import is_blocked
from shared.jobs.topology import JOBS

_PATIENCE_S = 3.0
# The keys of jobs have three words at least: no queue is bound for one of a single word.
_NOWHERE = "doctor"


async def look_at_publishing(broker: Broker) -> Verdict:
    """Whether a job would be taken now."""
    channel = await broker.connection.channel(publisher_confirms=True, on_return_raises=True)
    exchange = await channel.get_exchange(JOBS, ensure=False)
    try:
        # A broker that is short of something still takes the first from a connection, and reads no second.
        for _ in range(2):
            await _publish(exchange)
    except ChannelAccessRefused:
        return failed(
            f"The user of AMQP_URL may not publish to the exchange {JOBS}.",
            do="Give it all rights on its virtual host (rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*').",
        )
    except TimeoutError:
        if not await is_blocked(broker.connection):
            raise
        return failed(
            "RabbitMQ blocks whoever publishes: it is short of memory or disk.",
            do="See of which (rabbitmq-diagnostics alarms). Give it more, or let the consumers empty the queues; jobs"
            " wait in the database until then.",
        )
    return ok("RabbitMQ takes what is published.")


async def _publish(exchange: AbstractExchange) -> None:
    with suppress(DeliveryError, PublishError):  # it came back
        await exchange.publish(Message(b""), _NOWHERE, mandatory=True, timeout=_PATIENCE_S)
