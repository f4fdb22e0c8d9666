"""The fault run by hand: `python -m tests.faults.publishing`. Exit 0: nothing lost, twice or left over."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import replace

from tests.faults.publishing.run import Plan, run
from tests.faults.publishing.table import table

_FROZEN = 40


def main() -> int:
    """Run with the arguments of the command line."""
    parser = argparse.ArgumentParser(description="Publish in the midst of faults and account for every publication.")
    parser.add_argument("--publications", type=int, default=10_000)
    parser.add_argument("--per-second", type=float, default=25.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    plan = Plan(publications=given.publications, per_s=given.per_second, seed=given.seed)
    # Where the platform publishes a container twice, only a frozen worker can double: counted by itself.
    frozen = replace(
        plan,
        publications=_FROZEN * 4,
        per_s=2.0,
        double_publish="twice",
        platform_fails=False,
        kill_every_s=3600,
        purge_every_s=3600,
        freeze_every_s=0.1,
    )
    clean = True
    for one in (plan, frozen):
        outcome = asyncio.run(run(one, tell=lambda text: print(f"  {text}", flush=True)))  # noqa: T201
        print(f"\n{table(outcome)}\n", flush=True)  # noqa: T201
        clean = clean and outcome.ledger.is_clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
