"""One delivery in hand: what arrived, and the two ways to let go of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aiormq.abc import DeliveredMessage

from shared.jobs.acks import Acks
from shared.jobs.envelope import Job, read_job


@dataclass(kw_only=True)
class Delivery:
    """A message of the work queue that is neither acknowledged nor given back yet."""

    message: DeliveredMessage
    tag: int
    acks: Acks

    @property
    def routing_key(self) -> str:
        """As it was published."""
        return self.message.routing_key or ""

    @property
    def priority(self) -> int | None:
        """On the wire, where the higher number runs first."""
        priority: int | None = self.message.header.properties.priority
        return priority

    @property
    def headers(self) -> Mapping[str, Any]:
        """As they were published, and what the broker has added."""
        return self.message.header.properties.headers or {}

    @property
    def redelivered(self) -> bool:
        """Whether it was delivered before and came back without a word."""
        return bool(getattr(self.message.delivery, "redelivered", False))

    @cached_property
    def job(self) -> Job:
        """What it carries.

        Raises:
            EnvelopeError: it is no job of ours. Park it.
        """
        return read_job(
            routing_key=self.routing_key,
            headers=self.headers,
            priority=self.priority,
            body=self.message.body,
        )

    @property
    def in_hand(self) -> bool:
        """Whether it is still to be settled."""
        return self.acks.in_hand(self.tag)

    def ack(self) -> None:
        """Done with it."""
        self.acks.settle(self.tag)

    async def give_back(self) -> None:
        """Have the broker deliver it again."""
        await self.acks.give_back(self.tag)
