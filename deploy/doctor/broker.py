"""The broker as its checks get it."""

from __future__ import annotations

from dataclasses import dataclass

from aio_pika.abc import AbstractConnection

from deploy.doctor.finding import Verdict


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A broker that let us in."""

    connection: AbstractConnection
    url: str
    refused: tuple[Verdict, ...]  # what was found of those before it in AMQP_URL
