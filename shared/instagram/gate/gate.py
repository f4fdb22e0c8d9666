"""Who may call the platform now: asked before each try, told of each call."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from shared import metrics
from shared.instagram.account import GraphAccount
from shared.instagram.errors import InstagramError
from shared.instagram.gate.budget import Budget
from shared.instagram.gate.evidence import ACCOUNTS_LEAST, Evidence, Tally, is_outage
from shared.instagram.gate.memory import Memory
from shared.instagram.gate.outage import OUTAGE_KEYS, PROBE, PROBE_LEASE_S, Outage, is_outage_sign
from shared.instagram.gate.store import Store
from shared.instagram.gate.wait import Wait
from shared.instagram.usage import Usage

# How often the background looks: what is urgent wakes it.
_TICK_S = 1.0
# What was learned ahead of a try holds for so long: what another process is told meanwhile comes too late for it.
_AHEAD_S = 2.0

log = structlog.get_logger()


class PlatformGate:
    """One per process; all of them know the same through Redis, and each goes on by itself while Redis is away.

    Give it to the client as `watch`, ask `admit` before a try and say `leave` after it.
    """

    def __init__(
        self,
        store: Store,
        *,
        on_healed: Callable[[], Awaitable[object]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        rng: random.Random | None = None,
    ) -> None:
        """Begin with nothing known but what Redis tells; `open_gate` builds it.

        Args:
            store: what all processes share.
            on_healed: called in the background when an outage is seen to be over, in every process that sees it, and
                again for whatever begins to wait as it ends.
            clock: monotonic seconds.
            wall: seconds since 1970.
            rng: gives the jitter.
        """
        rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._store = store
        self._on_healed = on_healed
        self._memory = Memory(clock=clock)
        self._budget = Budget(self._memory, rng=rng)
        self._outage = Outage(self._memory, clock=clock, wall=wall, rng=rng)
        self._was_down = False
        self._clock = clock
        self._ahead: set[str] = set()
        self._ahead_until = 0.0
        self._asking = asyncio.Lock()
        self._wake = asyncio.Event()
        self._to_tell = False
        self._healing: asyncio.Task[None] | None = None

    def saw(
        self,
        account: GraphAccount,
        operation: str,  # noqa: ARG002 - every operation counts the same
        *,
        usage: Usage | None,
        error: InstagramError | None,
    ) -> None:
        """Learn from an exchange, at once in this process and soon in the others. See `Watch`."""
        try:
            self._budget.note(account.ig_user_id, usage=usage, error=error)
            self._outage.note(account.ig_user_id, error)
            self._look()
        except Exception:
            log.exception("gate.not_noted")
        if usage is not None and usage.app_percent is not None:
            metrics.platform_app_usage_percent.set(usage.app_percent)
        if error is not None:
            self._wake.set()

    async def admit(self, ig_user_id: str) -> Wait | None:
        """Whether a try may begin for this account; None if it may.

        While the platform is down, one try at a time may begin, as a probe. So ask when nothing but the platform's
        calls is left to do, and call `leave` when the try has ended: a probe that made no call gives its place back.
        That of a worker that died falls back after 90 s.
        """
        wait = self._budget.blocked(ig_user_id) or await self._ask(ig_user_id)
        if wait is not None:
            metrics.platform_waits_total.labels(reason=wait.reason).inc()
        return wait

    def leave(self, ig_user_id: str) -> None:
        """The try that `admit` let begin has ended, however it did."""
        if self._outage.end_try(ig_user_id):
            self._look()
            self._wake.set()

    async def look_ahead(self, ig_user_ids: Sequence[str]) -> None:
        """Learn in one round trip how it stands with many accounts: within 2 s `admit` asks nobody for them again."""
        keys = (key for ig_user_id in ig_user_ids for key in self._budget.keys(ig_user_id))
        await self._sync([*dict.fromkeys(keys), *OUTAGE_KEYS])
        self._ahead, self._ahead_until = set(ig_user_ids), self._clock() + _AHEAD_S

    async def pause_app(self, seconds: float) -> None:
        """Have nobody call the platform for so long: every process holds to it, as to a refusal of the platform's.

        One that ends before another that is in force changes nothing. While Redis is away only this process knows.
        """
        self._budget.hold_app(seconds)
        await self._sync(())

    async def confirm_outage(self, probe: Callable[[], Awaitable[object]]) -> Wait | None:
        """Ask whether it is the platform that failed, before a publication is ended because it failed.

        With one or two accounts no evidence across accounts can tell: then one cheap read decides.

        Args:
            probe: a read that has nothing to do with the publication, such as the account's profile.

        Returns:
            The wait of everybody if the platform is down; None if the failure is the publication's own.
        """
        await self._sync(OUTAGE_KEYS)
        if not self._outage.down and await _fails(probe):
            # Where most calls are served, this account's failures are its own.
            await self._judge(await self._share(self._outage.window.take_untold()), accounts_least=1)
        return self.outage_wait()

    def outage_wait(self) -> Wait | None:
        """The wait of everybody while the platform is down, as this process knows it; asks nobody."""
        return self._outage.wait() if self._outage.down else None

    def note_waiting(self) -> None:
        """Somebody's wait for the end of an outage is written down. If that end has come meanwhile, it is told again.

        Without this, what was written just after the end had been told would be overlooked.
        """
        if not self._outage.down:
            self._tell_healed()

    async def run(self) -> None:
        """Tell and ask in the background until canceled."""
        while True:
            try:
                async with asyncio.timeout(_TICK_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._tick()
            except Exception:
                log.exception("gate.tick_failed")

    async def close(self) -> None:
        """Tell what is not told yet, and end what follows an outage."""
        await self._sync(())
        if self._healing is not None:
            self._healing.cancel()
            await asyncio.wait({self._healing})

    async def _ask(self, ig_user_id: str) -> Wait | None:
        if self._outage.down or not self._knows(ig_user_id):
            await self._sync([*self._budget.keys(ig_user_id), *OUTAGE_KEYS])
        wait = self._budget.wait(ig_user_id)
        if wait or not self._outage.down or await self._takes_probe(ig_user_id):
            return wait
        return self._outage.wait()

    def _knows(self, ig_user_id: str) -> bool:
        """Whether it was learned just now how it stands with an account."""
        known = ig_user_id in self._ahead and self._clock() < self._ahead_until
        self._ahead.discard(ig_user_id)
        return known

    async def _takes_probe(self, ig_user_id: str) -> bool:
        if self._outage.probed:
            return False
        taken = await self._store.claim(PROBE, seconds=PROBE_LEASE_S)
        # Without Redis the place is this process's own to give, and may have been given meanwhile.
        if taken is False or (taken is None and self._outage.probed):
            return False
        self._outage.begin_probe(ig_user_id)
        return True

    async def _tick(self) -> None:
        if self._store.away and await self._store.greet():
            self._memory.retell()
        await self._sync(OUTAGE_KEYS if self._outage.down else ())
        tally = self._outage.window.take_untold()
        if tally.failed:
            await self._judge(await self._share(tally), accounts_least=ACCOUNTS_LEAST)
        elif tally.answered:
            await self._share(tally)

    async def _share(self, tally: Tally) -> Evidence:
        """What all processes have seen, told what this one has; what it has seen itself while Redis is away."""
        return await self._store.tally(tally) or self._outage.window.evidence()

    async def _judge(self, evidence: Evidence, *, accounts_least: int) -> None:
        if is_outage(evidence, accounts_least=accounts_least):
            self._outage.open()
            await self._sync(())

    async def _sync(self, keys: Sequence[str]) -> None:
        # One at a time: answers that overtake each other would bring back what is over.
        async with self._asking:
            if self._store.away:
                return
            await self._exchange(keys)
        self._look()

    async def _exchange(self, keys: Sequence[str]) -> None:
        untold, told = self._memory.take_untold(), None
        if not untold and not keys:
            return
        try:
            told = await self._store.exchange(untold, keys)
        finally:  # also where this worker is told to stop meanwhile
            if told is None:
                self._memory.put_back(untold)
        if told is not None:
            self._memory.adopt(told)

    def _look(self) -> None:
        """Notice that the breaker has opened or closed, here or elsewhere."""
        if self._outage.down == self._was_down:
            return
        self._was_down = self._outage.down
        metrics.platform_breaker_open.set(self._was_down)
        if self._was_down:
            log.warning("platform.down")
            return
        log.info("platform.back")
        self._outage.window.clear()
        self._tell_healed()

    def _tell_healed(self) -> None:
        self._to_tell = True
        if self._on_healed is not None and (self._healing is None or self._healing.done()):
            self._healing = asyncio.create_task(self._heal(self._on_healed))

    async def _heal(self, on_healed: Callable[[], Awaitable[object]]) -> None:
        # Once more for an end that comes while the one before is told: that may have looked already.
        while self._to_tell:
            self._to_tell = False
            try:
                await on_healed()
            except Exception:
                log.exception("platform.waits_not_shortened")


async def _fails(probe: Callable[[], Awaitable[object]]) -> bool:
    try:
        await probe()
    except InstagramError as error:
        return is_outage_sign(error)
    return False
