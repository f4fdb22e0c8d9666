"""The gate before the platform, as one process has it, and what the platform says to it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from shared.instagram import GraphAccount, GraphError, GraphUnclearError, PlatformGate, Usage, classify
from shared.instagram.gate.store import Store
from tests.waiting import until

# A loaded machine may answer late, and a test of what is shared must not take that for a Redis that is away.
PATIENCE_S = 20.0
UNCLEAR = GraphUnclearError("no answer", operation="profile")


class Process:
    """A gate and what its client tells it."""

    def __init__(self, gate, healed):
        self.gate, self.healed = gate, healed
        self.admit, self.leave = gate.admit, gate.leave

    def saw(self, ig_user_id, error=None, **usage):
        account = GraphAccount(ig_user_id=ig_user_id, access_token="token-of-the-tests")
        self.gate.saw(account, "profile", usage=Usage(**usage) if usage else None, error=error)

    async def holds(self, ig_user_id):
        """The wait, once this process knows of it."""
        return await until(lambda: self.admit(ig_user_id), what="the gate to hold the account")

    async def opens(self):
        """Until this process lets a try begin that is not the probe of an outage."""

        async def is_open():
            return await self.gate.admit("somebody") is None

        await until(is_open, what="the gate to open")


@asynccontextmanager
async def process_on(redis_url, **options):
    store = Store(redis_url, **options)
    await store.greet()
    healed = asyncio.Event()

    async def on_healed():
        healed.set()

    gate = PlatformGate(store, on_healed=on_healed)
    background = asyncio.create_task(gate.run())
    yield Process(gate, healed)
    background.cancel()
    await asyncio.wait({background})
    await gate.close()
    await store.close()


def throttled(code):
    """The platform's refusal for too many calls."""
    return GraphError(
        operation="profile",
        rule=classify(code, None, is_transient=False, http_status=400),
        code=code,
        subcode=None,
        message="",
        http_status=400,
        fbtrace_id=None,
        is_transient=False,
    )
