"""`instadistro status`: what runs, how it is doing, and what to do next."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.segment import Segments
from rich.text import Text

from deploy.cli.overview import overview
from deploy.local import Ports, open_instance
from deploy.local.run_record import RunRecord, read_record
from deploy.status import (
    PartSeen,
    Summary,
    Target,
    findings,
    local_targets,
    next_step,
    parts_of,
    read_all,
    render,
    silent_servers,
    summarise,
    targets_at,
)
from shared.errors import InstaDistroError

_NOT_RUNNING = 3
_EVERY_S = 2.0
_PIPE_WIDTH = _SVG_WIDTH = 118
_OUTSIDE_FONTS = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The system at one moment."""

    runs: bool
    shown: RenderableType
    fields: dict[str, Any]


@click.command()
@click.option(
    "--at",
    "places",
    multiple=True,
    metavar="HOST[:PORT]",
    help="Ask the services there, not those that `up` started here. Repeatable; a name with several addresses is"
    " several replicas.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--watch", is_flag=True, help="Show it anew every 2 s until Ctrl-C.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Also write the picture to this file.")
def status(*, places: tuple[str, ...], as_json: bool, watch: bool, svg: Path | None) -> None:
    """Show the system and what to do next. Exit status: 0 it runs, 3 it does not."""
    if watch and (as_json or svg is not None):
        raise click.UsageError("--watch shows the terminal alone; leave --json and --svg away.")

    async def look() -> Seen:
        return await _look_at(places) if places else await _look_here()

    if watch:
        with suppress(KeyboardInterrupt):
            asyncio.run(watch_until(look, console=Console()))
        return
    seen = asyncio.run(look())
    if as_json:
        click.echo(json.dumps(seen.fields, indent=2))
    else:
        console = Console()
        # What is piped has no width of its own.
        (console if console.is_terminal else Console(width=_PIPE_WIDTH)).print(seen.shown, crop=False)
    if svg is not None:
        _write_picture(seen.shown, svg)
    sys.exit(0 if seen.runs else _NOT_RUNNING)


async def watch_until(
    look: Callable[[], Awaitable[Seen]], *, console: Console, stop: asyncio.Event | None = None
) -> None:
    """Show what `look` sees every 2 s until `stop` is set or the task is canceled."""
    stop = stop or asyncio.Event()
    with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
        while not stop.is_set():
            live.update(_end_of((await look()).shown, console), refresh=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _EVERY_S)


def _end_of(shown: RenderableType, console: Console) -> RenderableType:
    """What fits on a screen: the end tells what is wrong and what to do."""
    if not console.is_terminal:
        return shown
    lines = console.render_lines(shown, new_lines=True)[-console.height :]
    return Segments(segment for line in lines for segment in line)


async def _look_here() -> Seen:
    instance = open_instance(os.environ)
    record = read_record(instance.run_file)
    if record is None or not record.alive:
        return _not_running(record)
    ports = Ports(**record.ports)
    summary, silent = await asyncio.gather(
        _summary([target for target in local_targets(ports) if target.name in record.parts]),
        silent_servers({name: part.port for name, part in record.parts.items() if part.port is not None}),
    )
    parts = parts_of(record, silent=silent)
    places = overview(instance, ports, with_prometheus="prometheus" in record.parts)
    where = f"  {'process':<10}{record.pid}, since {record.started_at}\n{places}"
    return Seen(
        runs=True,
        shown=render(summary, parts=parts, where=where),
        fields={"pid": record.pid, "since": record.started_at} | _fields(summary, parts),
    )


async def _look_at(places: Sequence[str]) -> Seen:
    summary = await _summary(await targets_at(places))
    runs = any(service.error is None for service in summary.services)
    return Seen(runs=runs, shown=render(summary), fields=_fields(summary, ()) | {"running": runs})


async def _summary(targets: Sequence[Target]) -> Summary:
    return summarise(await read_all(targets), now=datetime.now(UTC))


def _fields(summary: Summary, parts: Sequence[PartSeen]) -> dict[str, Any]:
    found = findings(summary, parts=parts)
    return {
        "running": True,
        "well": not found,
        "next": next_step(found),
        "findings": [asdict(finding) for finding in found],
        "parts": [asdict(part) for part in parts],
        **asdict(summary),
    }


def _not_running(record: RunRecord | None) -> Seen:
    orphans = [name for name, _, _ in record.orphans()] if record is not None else []
    lines = ["Not running."]
    if orphans:
        lines.append(f"Left by a killed supervisor: {', '.join(orphans)}. `instadistro down` stops them.")
    return Seen(runs=False, shown=Text("\n".join(lines)), fields={"running": False, "orphans": orphans})


def _write_picture(shown: RenderableType, file: Path) -> None:
    console = Console(record=True, width=_SVG_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(shown)
    # The picture must not ask another server for its fonts; the reader's own will do.
    text = _OUTSIDE_FONTS.sub("", console.export_svg(title="instadistro status"))
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InstaDistroError(f"Cannot write {file}: {error.strerror}. Name another file.") from error
