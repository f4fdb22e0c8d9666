"""RabbitMQ: is it there, does it let us in, holds it our queues, takes it jobs, does somebody work on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

import aio_pika
from aio_pika.exceptions import AMQPError, ProbableAuthenticationError
from aiormq.exceptions import InvalidFrameError

from deploy.doctor.broker import Broker
from deploy.doctor.check import Area, Check, RefusedError
from deploy.doctor.finding import Verdict, ok, warning
from deploy.doctor.network import place_of, unreachable
from deploy.doctor.publishing import look_at_publishing
from deploy.doctor.setup import Setup
from deploy.doctor.topology import look_at_arguments, look_at_consumers, look_at_topology
from shared.jobs import BROKER_ERRORS

_CONNECT_S = 5.0


@asynccontextmanager
async def _connect(setup: Setup) -> AsyncIterator[Broker]:
    refused: list[Verdict] = []
    for url in setup.settings.amqp_url:
        try:
            connection = await aio_pika.connect(
                url, timeout=_CONNECT_S, client_properties={"connection_name": "doctor"}
            )
        except (*BROKER_ERRORS, AMQPError) as error:
            refused.append(_refusal(error, url).verdict)
            continue
        try:
            yield Broker(connection=connection, url=url, refused=tuple(refused))
        finally:
            await connection.close()
        return
    raise RefusedError(" ".join(each.says for each in refused), do=refused[0].do)


def _refusal(error: BaseException, url: str) -> RefusedError:
    server, parts = f"RabbitMQ at {place_of(url)}", urlsplit(url)
    user, vhost = unquote(parts.username or "guest"), vhost_of(url)
    if isinstance(error, ProbableAuthenticationError):
        return RefusedError(
            f"{server} refuses the password of the user {user!r}.",
            do=f"Correct it in AMQP_URL, or set it there (rabbitmqctl change_password {user}). The user guest is let in"
            " from the broker's own machine only.",
        )
    if isinstance(error, InvalidFrameError):  # the login was accepted, and the connection closed at the next step
        return RefusedError(
            f"{server} has no virtual host {vhost!r}, or the user {user!r} may not enter it.",
            do=f"Make it (rabbitmqctl add_vhost {vhost}) and let the user in (rabbitmqctl set_permissions -p {vhost}"
            f" {user} '.*' '.*' '.*'), or correct the end of AMQP_URL; / is written %2F.",
        )
    return unreachable(error, server="RabbitMQ", url=url, setting="AMQP_URL")


def vhost_of(url: str) -> str:
    """The virtual host that an AMQP URL names."""
    return unquote(urlsplit(url).path.removeprefix("/")) or "/"


async def look_at_server(broker: Broker) -> Verdict | list[Verdict]:
    """That it let us in, and those before it in the list."""
    if broker.refused:
        return [warning(f"{each.says} The next in AMQP_URL does.", do=each.do) for each in broker.refused]
    return ok(f"RabbitMQ at {place_of(broker.url)} answers.")


RABBITMQ = Area(
    name="rabbitmq",
    enter=_connect,
    checks=(
        Check(name="rabbitmq.connects", look=look_at_server),
        Check(name="rabbitmq.topology", look=look_at_topology),
        Check(name="rabbitmq.arguments", look=look_at_arguments, needs=("rabbitmq.topology",)),
        Check(name="rabbitmq.consumers", look=look_at_consumers, needs=("rabbitmq.topology",)),
        # The last, since a connection that publishes while the broker is short of something is not read any more.
        Check(name="rabbitmq.publishes", look=look_at_publishing, needs=("rabbitmq.topology",)),
    ),
)
