"""One fault run: load and trouble side by side, then quiet until everything has ended, then the account of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from tests.faults.publishing.arrows import WATCH_ARROWS
from tests.faults.publishing.ground import Ground, standing
from tests.faults.publishing.ledger import Ledger, read_ledger, waiting
from tests.faults.publishing.load import order
from tests.faults.publishing.owners import mend_accounts
from tests.faults.publishing.trouble import Trouble, platform_faults

_LOOK_EVERY_S = 0.5
_TELL_EVERY_S = 15.0
_MEND_EVERY_S = 3.0
# After the troubles end: leases, looks at what is unclear, and the queue itself need so long at most.
_QUIET_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run is made of."""

    publications: int
    per_s: float  # publications that fall due a second
    seed: int
    share: float = 0.02  # of the calls that meet each fault kind
    double_publish: Literal["refuse", "twice"] = "refuse"
    publishers: int = 3
    kill_every_s: float = 3.0
    purge_every_s: float = 10.0
    freeze_every_s: float = 5.0
    platform_fails: bool = True
    long_waits: bool = True  # among them throttles and quotas


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a run."""

    plan: Plan
    ledger: Ledger
    done: dict[str, int]  # troubles made
    faults: dict[str, int]  # of the platform, that met a call
    calls: int
    seconds: float


async def run(plan: Plan, *, tell: Callable[[str], None]) -> Outcome:
    """Run it on a system of its own; bounded by the plan's own time and ten minutes of quiet."""
    began = time.monotonic()
    async with standing(publishers=plan.publishers) as ground:
        tell(f"system ready after {time.monotonic() - began:.0f} s")
        options = {"double_publish": plan.double_publish, "processing_s": 0.1, "quota_total": 1_000}
        await ground.emulator("POST", "reset", json=options)
        return await publish_in_trouble(ground, plan, tell=tell)


async def publish_in_trouble(ground: Ground, plan: Plan, *, tell: Callable[[str], None]) -> Outcome:
    """Publish while everything fails, wait until everything has ended, and account for it."""
    began, over_s = time.monotonic(), plan.publications / plan.per_s
    await ground.database.execute(WATCH_ARROWS)
    load = await order(ground, publications=plan.publications, over_s=over_s, name=f"run {plan.seed}")
    tell(f"{load.publications} publications on {load.accounts} accounts over {over_s:.0f} s")
    faults = platform_faults(plan.seed, share=plan.share, long_waits=plan.long_waits)
    for fault in faults if plan.platform_fails else []:
        await ground.emulator("POST", "faults", json=fault)
    trouble, stop = Trouble(ground, seed=plan.seed), asyncio.Event()
    rhythm = {"kill_every_s": plan.kill_every_s, "purge_every_s": plan.purge_every_s}
    async with asyncio.TaskGroup() as tasks:
        mending = tasks.create_task(_mend(ground, trouble))
        tasks.create_task(trouble.run(stop, **rhythm, freeze_every_s=plan.freeze_every_s))
        await _until_quiet(ground, until=time.monotonic() + over_s + 5, held_too=False, tell=tell)
        stop.set()
        await ground.emulator("DELETE", "faults")
        tell("no more troubles; waiting for the rest")
        await _until_quiet(ground, until=time.monotonic() + _QUIET_S, held_too=True, tell=tell)
        mending.cancel()
    counted = await ground.emulator("GET", "")
    return Outcome(
        plan=plan,
        ledger=await read_ledger(ground, frozen=trouble.frozen),
        done=dict(trouble.done),
        faults=counted["faults_met"],
        calls=sum(counted["calls"].values()),
        seconds=time.monotonic() - began,
    )


async def _mend(ground: Ground, trouble: Trouble) -> None:
    """The owners' part, again and again until cancelled."""
    while True:
        await asyncio.sleep(_MEND_EVERY_S)
        with suppress(AssertionError):  # the gateway may be away for a moment; the next round comes
            trouble.done["accounts mended by their owners"] += await mend_accounts(ground)


async def _until_quiet(ground: Ground, *, until: float, held_too: bool, tell: Callable[[str], None]) -> None:
    """Until nothing waits any more, or the time is over."""
    told = 0.0
    while time.monotonic() < until:
        left = await waiting(ground, held_too=held_too)
        if not left:
            return
        if time.monotonic() - told > _TELL_EVERY_S:
            tell(f"{left} publications have not ended")
            told = time.monotonic()
        await asyncio.sleep(_LOOK_EVERY_S)
