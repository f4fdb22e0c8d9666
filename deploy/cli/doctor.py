"""`instadistro doctor`: what is wrong with a set-up, and what to do."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.cli.environment import find_environment
from deploy.cli.jobs.text import plain
from deploy.doctor import AREAS, Finding, Level, examine, read_setup
from deploy.local import open_instance
from deploy.local.run_record import RunRecord, read_record
from deploy.local.surroundings import is_given

_FAILED = 1
_WRONG_SETTINGS = 2
_VALUES = "settings.values"
_MOST_NAMED = 4
_STYLES = {Level.OK: "green", Level.SKIPPED: "dim", Level.WARNING: "yellow", Level.FAILED: "bold red"}
# What asks to be seen to stands at the end, where a terminal leaves the eye.
_ORDER = (Level.OK, Level.SKIPPED, Level.WARNING, Level.FAILED)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--only", type=click.Choice([area.name for area in AREAS]), help="Look at this area alone.")
def doctor(*, as_json: bool, only: str | None) -> None:
    """Look at settings, servers, platform and machine; change nothing; say what is wrong and what to do.

    The settings come from the environment, and what is missing there from the private system that runs on this machine.

    Exit status: 0 nothing failed, 1 something failed, 2 the settings cannot be used.
    """
    # Libraries log what fails here in their own words; it is told below in ours.
    logging.getLogger().addHandler(logging.NullHandler())
    findings = asyncio.run(_examine(find_environment(), only=only))
    (_print_json if as_json else _print)(findings)
    failed = [finding for finding in findings if finding.level is Level.FAILED]
    if any(finding.check == _VALUES for finding in failed):
        sys.exit(_WRONG_SETTINGS)
    if failed:
        sys.exit(_FAILED)


async def _examine(environ: Mapping[str, str], *, only: str | None) -> list[Finding]:
    areas = [area for area in AREAS if only in {None, area.name} or area.name == "settings"]
    findings = await examine(read_setup(environ, record=_record()), areas)
    # Settings that cannot be used are why everything else is skipped.
    return [
        finding
        for finding in findings
        if only is None
        or finding.check.startswith(f"{only}.")
        or (finding.check == _VALUES and finding.level is Level.FAILED)
    ]


def _record() -> RunRecord | None:
    if is_given(os.environ, "DATABASE_URL"):  # the settings are another system's then
        return None
    record = read_record(open_instance(os.environ).run_file)
    return record if record is not None and record.alive else None


def _print_json(findings: Sequence[Finding]) -> None:
    counts = {level.value: sum(finding.level is level for finding in findings) for level in _ORDER}
    click.echo(json.dumps({**counts, "findings": [asdict(finding) for finding in findings]}, indent=2))


def _print(findings: Sequence[Finding]) -> None:
    lines = [_one_line(finding) for level in _ORDER for finding in _gathered(findings, level)]
    console = Console()
    if console.is_terminal:
        console.print(_table(lines))
    else:
        for line in lines:
            click.echo(f"{line.level:<8} {line.check}: {line.says}")
            if line.do:
                click.echo(f"         {line.do}")
    click.echo(_summary(findings))


def _one_line(finding: Finding) -> Finding:
    return Finding(check=finding.check, level=finding.level, says=plain(finding.says), do=plain(finding.do))


def _gathered(findings: Sequence[Finding], level: Level) -> Iterator[Finding]:
    """The findings of a level; those that were skipped for the same reason as one."""
    of_level = [finding for finding in findings if finding.level is level]
    if level is not Level.SKIPPED:
        yield from of_level
        return
    for says in dict.fromkeys(finding.says for finding in of_level):
        names = [finding.check for finding in of_level if finding.says == says]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield Finding(check=", ".join(names[:_MOST_NAMED]) + more, level=level, says=says, do="")


def _table(lines: Sequence[Finding]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(max_width=24)
    table.add_column()
    for line in lines:
        style = _STYLES[line.level]
        text = Text(line.says, style="dim" if line.level is Level.SKIPPED else "")
        if line.do:
            text.append(f"\n{line.do}", style="cyan")
        table.add_row(Text(line.level, style=style), Text(line.check), text)
    return table


def _summary(findings: Sequence[Finding]) -> str:
    counts = [(level, sum(finding.level is level for finding in findings)) for level in reversed(_ORDER)]
    words = [
        f"{count} {level}{'s' if level is Level.WARNING and count > 1 else ''}" for level, count in counts if count
    ]
    return f"\n{', '.join(words)}."
