"""Announces what happens to parts, so that whoever waits for it need not guess with sleeps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shared.errors import NotReadyError


@dataclass(frozen=True, kw_only=True)
class Happening:
    """A part entered a state."""

    part: str
    state: str  # waiting, starting, ready, done, died, failed, stopping, stopped
    pid: int | None


class Happenings:
    """Those who wait, and what they wait for."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, str, asyncio.Future[Happening]]] = []

    def announce(self, happening: Happening) -> None:
        """Wake everybody who waits for it."""
        for part, state, future in self._waiting:
            if (part, state) == (happening.part, happening.state) and not future.done():
                future.set_result(happening)
        self._waiting = [entry for entry in self._waiting if not entry[2].done()]

    def expect(self, part: str, state: str, *, deadline_s: float) -> asyncio.Future[Happening]:
        """The next time `part` enters `state`, from this call on, whenever the future is awaited.

        The future raises NotReadyError when `deadline_s` has passed without it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Happening] = loop.create_future()

        def give_up() -> None:
            if not future.done():
                future.set_exception(NotReadyError(f"{part} did not become {state} within {deadline_s:g} s"))

        timer = loop.call_later(deadline_s, give_up)
        future.add_done_callback(lambda _: timer.cancel())
        self._waiting.append((part, state, future))
        return future
