"""`instadistro status`: what runs, since when, and where."""

from __future__ import annotations

import os
import sys

import click
from rich.console import Console
from rich.table import Table

from deploy.cli.overview import overview
from deploy.local import Ports, open_instance
from deploy.local.run_record import PartRecord, RunRecord, read_record

_NOT_RUNNING = 3
_STYLES = {"ready": "green", "done": "dim", "starting": "yellow", "waiting": "yellow"}


@click.command()
def status() -> None:
    """Show the parts of the system. Exit status: 0 it runs, 3 it does not."""
    instance = open_instance(os.environ)
    record = read_record(instance.run_file)
    if record is None or not record.alive:
        orphans = record.orphans() if record is not None else []
        click.echo("Not running.")
        if orphans:
            names = ", ".join(name for name, _, _ in orphans)
            click.echo(f"Left by a killed supervisor: {names}. `instadistro down` stops them.")
        sys.exit(_NOT_RUNNING)
    console = Console()
    console.print(_table(record))
    click.echo(f"  {'process':<10}{record.pid}, since {record.started_at}")
    click.echo(overview(instance, Ports(**record.ports)))


def _table(record: RunRecord) -> Table:
    table = Table("part", "state", "pid", "port", "since")
    for name, part in record.parts.items():
        state = _state(part)
        table.add_row(
            name, f"[{_STYLES.get(state, 'red')}]{state}[/]", str(part.pid or ""), str(part.port or ""), part.since
        )
    return table


def _state(part: PartRecord) -> str:
    """The recorded state, unless the process has ended since it was written."""
    return "died" if part.pid is not None and not part.alive else part.state
