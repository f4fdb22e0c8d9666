"""Exchanges and queues: are they there, are they as this version declares them, does somebody consume."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelClosed, ChannelNotFoundEntity, ChannelPreconditionFailed
from aiormq.exceptions import ChannelAccessRefused

from deploy.doctor.broker import Broker
from deploy.doctor.finding import Verdict, failed, ok, warning
from deploy.doctor.words import count_of
from shared.jobs.topology import EXCHANGES, QUEUES, WORK_QUEUES, Queue

_DEADLINE_S = 5.0
_Ask = Callable[[AbstractChannel], Awaitable[object]]


async def look_at_topology(broker: Broker) -> Verdict:
    """Whether every exchange and queue is there. Passive declarations only ask."""
    asked = {f"the exchange {name}": _find_exchange(name) for name in EXCHANGES}
    asked |= {f"the queue {queue.name}": _find_queue(queue) for queue in QUEUES}
    missing = await _refused(broker, asked)
    if not missing:
        return ok(f"All {len(EXCHANGES)} exchanges and {len(QUEUES)} queues are there.")
    name, error = next(iter(missing.items()))
    if not isinstance(error, ChannelNotFoundEntity):
        return failed(
            f"RabbitMQ does not show {name}: {error}.",
            do="Give the user of AMQP_URL the rights it lacks (rabbitmqctl set_permissions), or see the broker's log.",
        )
    if "down or inaccessible" in str(error):
        return failed(
            f"The node of the cluster that holds {name} is down.", do="Start it again; its messages are on its disk."
        )
    return failed(
        f"RabbitMQ lacks {', '.join(missing)}.",
        do="Run `instadistro migrate`; a scheduler then sends again what was lost with a queue.",
    )


async def look_at_arguments(broker: Broker) -> Verdict:
    """Whether those that are there are as this version declares them: declared once more, that changes nothing."""
    asked = {f"the exchange {name}": _declare_exchange(name) for name in EXCHANGES}
    asked |= {f"the queue {queue.name}": _declare_queue(queue) for queue in QUEUES}
    refused = await _refused(broker, asked)
    for name, error in refused.items():
        if isinstance(error, ChannelAccessRefused):
            return failed(
                f"The user of AMQP_URL may not declare {name}.",
                do="Give it all rights on its virtual host (rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*').",
            )
    if differing := [name for name, error in refused.items() if isinstance(error, ChannelPreconditionFailed)]:
        return failed(
            f"RabbitMQ holds {', '.join(differing)} with other arguments than this version's: no service starts.",
            do="If another version made it, let that version's workers empty it. Then delete it (rabbitmqctl"
            " delete_queue NAME) and run `instadistro migrate`.",
        )
    if refused:
        name, error = next(iter(refused.items()))
        return failed(f"RabbitMQ does not take the declaration of {name}: {error}.", do="See the broker's log.")
    return ok("Exchanges and queues are as this version declares them.")


async def look_at_consumers(broker: Broker) -> Verdict | list[Verdict]:
    """Whether somebody works on each queue."""
    found = []
    channel = await broker.connection.channel()
    try:
        for queue in WORK_QUEUES:
            declared = await channel.declare_queue(queue.name, passive=True, timeout=_DEADLINE_S)
            found += _judge_consumers(
                queue.name,
                waiting=declared.declaration_result.message_count or 0,
                consumers=declared.declaration_result.consumer_count or 0,
            )
    finally:
        await channel.close()
    return found or ok("Every queue of jobs has a consumer.")


def _judge_consumers(queue: str, *, waiting: int, consumers: int) -> list[Verdict]:
    service = queue.split(".")[1]
    do = f"Start the service {service}, or read the log of the one that runs."
    if consumers:
        return []
    if waiting:
        return [failed(f"{count_of(waiting, 'message')} in the queue {queue}, and nobody consumes it.", do=do)]
    return [warning(f"Nobody consumes the queue {queue}: no {service} runs.", do=do)]


async def _refused(broker: Broker, asked: dict[str, _Ask]) -> dict[str, ChannelClosed]:
    """What the broker refuses, with its words; it closes the channel with each refusal."""
    refused: dict[str, ChannelClosed] = {}
    channel = await broker.connection.channel()
    for name, ask in asked.items():
        try:
            await ask(channel)
        except ChannelClosed as error:
            refused[name] = error
            channel = await broker.connection.channel()
    await channel.close()
    return refused


def _find_exchange(name: str) -> _Ask:
    return lambda channel: channel.declare_exchange(name, passive=True, timeout=_DEADLINE_S)


def _find_queue(queue: Queue) -> _Ask:
    return lambda channel: channel.declare_queue(queue.name, passive=True, timeout=_DEADLINE_S)


def _declare_exchange(name: str) -> _Ask:
    return lambda channel: channel.declare_exchange(name, ExchangeType.TOPIC, durable=True, timeout=_DEADLINE_S)


def _declare_queue(queue: Queue) -> _Ask:
    return lambda channel: channel.declare_queue(
        queue.name, durable=True, arguments=dict(queue.arguments), timeout=_DEADLINE_S
    )
