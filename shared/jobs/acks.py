"""Acknowledging many deliveries with few frames: one for all up to the first that is still in hand."""

from __future__ import annotations

import asyncio
import contextlib

from shared.jobs.broker import BROKER_ERRORS, Session

# Longest a settled delivery waits for its acknowledgement to be sent. Until then a crash would bring it again.
_FLUSH_AFTER_S = 0.002


class Acks:
    """The deliveries of one session, from their arrival to their acknowledgement."""

    def __init__(self, session: Session, *, slots: int) -> None:
        """Begin with nothing in hand.

        Args:
            session: whose channel delivers.
            slots: the prefetch; half of it settled is sent at once, so that the broker never runs dry of permission.
        """
        self._channel = session.underlay
        self._lost = session.lost
        self._enough = max(1, slots // 2)
        self._in_hand: dict[int, bool] = {}  # delivery tag -> settled; in the order of arrival, which is that of tags
        self._settled = 0
        self._due = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

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
        """A delivery is done with; its acknowledgement follows within 2 ms."""
        if not self.alive:
            return  # it comes again; its tag means nothing to another session
        self._in_hand[tag] = True
        self._settled += 1
        if self._settled >= self._enough:
            self._due.set()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_AFTER_S, self._due.set)

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
        try:
            while True:
                await self._due.wait()
                await self._flush(wait=False)
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def finish(self) -> None:
        """Send what is left and see it written, once `run` has ended.

        Raises:
            one of BROKER_ERRORS: what was not acknowledged comes again.
        """
        await self._flush(wait=True)

    async def _flush(self, *, wait: bool) -> None:
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        prefix, beyond = self._collect()
        self._settled = 0
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
