"""All faults, one after the other: `python -m tests.observability`. Exit 0: each fired its alerts."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.observability.faults import LONG, SHORT, fire
from tests.observability.ground import standing


async def _run(place: Path) -> bool:
    clean = True
    async with standing(place) as ground:
        await ground.load()
        print("| fault | alerts | made, seen and healed in |\n|---|---|---|", flush=True)  # noqa: T201
        for fault in (*SHORT, *LONG):
            began = time.monotonic()
            try:
                await fire(ground, fault)
                took = f"{time.monotonic() - began:.0f} s"
            except AssertionError as error:
                clean, took = False, f"never: {error}"
            print(f"| {fault.what} | {', '.join(sorted(fault.alerts))} | {took} |", flush=True)  # noqa: T201
    return clean


def main() -> int:
    """Run in a directory that is removed again."""
    with tempfile.TemporaryDirectory(prefix="instadistro-observed-") as place:
        Path(place).chmod(0o711)  # the servers' account passes through it
        return 0 if asyncio.run(_run(Path(place))) else 1


if __name__ == "__main__":
    sys.exit(main())
