"""`instadistro boards`: the boards as pictures, for those who have no Grafana."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import click

from deploy.local import Ports, open_instance
from deploy.local.run_record import read_record
from shared.errors import InstaDistroError


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--prometheus", "url", help="Where Prometheus answers; default: that of the system that runs here.")
@click.option(
    "--minutes",
    type=click.IntRange(1, 43_200),
    default=15,
    show_default=True,
    help="How much of the time until now is drawn.",
)
def boards(*, directory: Path, url: str | None, minutes: int) -> None:
    """Draw Grafana's boards from a running Prometheus, one SVG picture each, into DIRECTORY."""
    for file in asyncio.run(_draw(directory, url=url or _own_prometheus(), minutes=minutes)):
        click.echo(file)


def _own_prometheus() -> str:
    """That of `instadistro up --with prometheus`, or where it would be."""
    record = read_record(open_instance(os.environ).run_file)
    ports = Ports(**record.ports) if record is not None and record.alive else Ports()
    return f"http://127.0.0.1:{ports.prometheus}"


async def _draw(directory: Path, *, url: str, minutes: int) -> list[Path]:
    from deploy.grafana import BOARDS  # noqa: PLC0415 - only who draws pays for the imports
    from deploy.grafana.draw import ask_board, draw_board  # noqa: PLC0415

    now = time.time()
    files = []
    for board in BOARDS:
        window, answers = await ask_board(board, url=url, minutes=minutes, now=now)
        files.append(_write(directory / f"{board.name}.svg", draw_board(board, answers, window)))
    return files


def _write(file: Path, picture: str) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise InstaDistroError(
            f"Cannot write {file}: {error.strerror}. Name a directory that you may write."
        ) from error
    return file
