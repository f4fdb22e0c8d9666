"""`instadistro bench`: the system's figures beside those of its rivals, measured in one run on one machine."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.errors import InstaDistroError

if TYPE_CHECKING:
    from benchmarks.report import Result

_MOST_RUNS = 20
_MOST_SCALE = 10.0


@click.command()
@click.argument("suite", default="jobs")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Also write all runs there.")
@click.option("--case", "cases", multiple=True, metavar="NAME", help="Only this case; may be given several times.")
@click.option("--runs", type=click.IntRange(1, _MOST_RUNS), default=3, show_default=True, help="Turns of each subject.")
@click.option(
    "--scale",
    type=click.FloatRange(0, _MOST_SCALE, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of the usual number of jobs, reads and rows.",
)
@click.option("--full", is_flag=True, help="What takes long in full: `memory`, `mixed`, `round`, `archive`.")
def bench(*, suite: str, file: Path | None, cases: tuple[str, ...], runs: int, scale: float, full: bool) -> None:
    """Measure SUITE on private servers, beside its rivals.

    Suites: jobs, cache, pagination, indexes, publishing, api, health, cleanup, schedules.

    Exit status: 0 all cases have figures, 1 some failed.
    """
    if importlib.util.find_spec("benchmarks") is None:
        raise InstaDistroError("the benchmarks are no part of an installation: run `make bench` in a checkout.")
    try:
        result = asyncio.run(_run(suite, cases=cases, runs=runs, scale=scale, full=full))
    except asyncio.CancelledError:
        raise click.Abort from None
    from benchmarks.report import print_result, write_json  # noqa: PLC0415 - only a checkout has it

    print_result(result)
    if file is not None:
        write_json(file, result)
    sys.exit(1 if result.failures else 0)


async def _run(suite: str, *, cases: tuple[str, ...], runs: int, scale: float, full: bool) -> Result:
    from benchmarks.subjects import RIVALS  # noqa: PLC0415 - as above
    from benchmarks.suite import SUITES, run_suite  # noqa: PLC0415

    _check(suite, SUITES, "suite")
    for case in cases:
        _check(case, SUITES[suite].cases, "case")
    subjects = [subject for subject in SUITES[suite].subjects if subject.is_here]
    missing = [subject.name for subject in SUITES[suite].subjects if not subject.is_here]
    if missing:
        click.echo(
            f"Not measured: {', '.join(missing)}. They are not installed in {RIVALS}; `make bench` does it.", err=True
        )
    _stop_on_signals()
    return await run_suite(
        suite, cases=cases or tuple(SUITES[suite].cases), subjects=subjects, runs=runs, scale=scale, full=full
    )


def _check(name: str, known: Collection[str], kind: str) -> None:
    if name not in known:
        raise click.BadParameter(f"there is no {kind} {name}; there are {', '.join(known)}.")


def _stop_on_signals() -> None:
    """What ends this process ends its servers and workers in good order, as Ctrl-C does."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
