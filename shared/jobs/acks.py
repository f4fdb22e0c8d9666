"""Acknowledging many deliveries with few frames: one for all up to the first that is still in hand."""

from __future__ import annotations

import asyncio
import contextlib

from shared.jobs.broker import BROKER_ERRORS, Session


class Acks:
    """The deliveries of one session, from their arrival to their acknowledgement."""

    def __init__(self, session: Session) -> None:
        """Begin with nothing in hand.

        Args:
            session: whose channel delivers.
        """
        self._channel = session.underlay
        self._lost = session.lost
        self._in_hand: dict[int, bool] = {}  # delivery tag -> settled; in the order of arrival, which is that of tags
        self._due = asyncio.Event()

    @property
    def alive(self) -> bool:
        """Whether what is settled will still be acknowledged."""
        return not self._lost.is_set()

    def took(self, tag: int) -> None:
        """A delivery arrived."""
        self._in_hand[tag] = False

    def in_hand(self, tag: int) -> bool:
        """Whether a delivery is neither settled nor given back yet."""
        return self._in_hand.get(tag) is False

    def settle(self, tag: int) -> None:
        """A delivery is done with; its acknowledgement follows in the next turn of the loop, with all of this turn."""
        if not self.alive:
            return  # it comes again; its tag means nothing to another session
        self._in_hand[tag] = True
        self._due.set()

    async def give_back(self, tag: int) -> None:
        """Have the broker deliver it again; where the session is gone, it does so by itself."""
        if not self.in_hand(tag):
            return  # the broker closes the channel on a tag it has let go
        with contextlib.suppress(*BROKER_ERRORS):
            # Written before the tag leaves the list: an acknowledgement of a later prefix would cover it otherwise.
            await self._channel.basic_nack(tag, requeue=True, wait=False)
        self._in_hand.pop(tag, None)

    async def run(self) -> None:
        """Send acknowledgements until cancelled. The only sender of them: the broker refuses a prefix behind another.

        Raises:
            one of BROKER_ERRORS: the session is of no more use; end it.
        """
        while True:
            await self._due.wait()
            await self._flush(wait=False)

    async def finish(self) -> None:
        """Send what is left and see it written, once `run` has ended.

        Raises:
            one of BROKER_ERRORS: what was not acknowledged comes again.
        """
        await self._flush(wait=True)

    async def _flush(self, *, wait: bool) -> None:
        self._due.clear()
        prefix, beyond = self._collect()
        # Tags leave the list once their frame is on its way: what a cancellation comes before is left to `finish`.
        if prefix:
            await self._channel.basic_ack(prefix[-1], multiple=True, wait=wait)
            for tag in prefix:
                del self._in_hand[tag]
        for tag in beyond:
            await self._channel.basic_ack(tag, wait=wait)
            del self._in_hand[tag]

    def _collect(self) -> tuple[list[int], list[int]]:
        """The settled prefix, and the settled tags beyond it."""
        prefix: list[int] = []
        beyond: list[int] = []
        into = prefix
        for tag, is_settled in self._in_hand.items():
            if is_settled:
                into.append(tag)
            else:
                into = beyond
        return prefix, beyond
