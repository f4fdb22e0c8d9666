"""How things of the database are printed: a time, a text of unknown origin, the progress of long work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shared.jobs.dead import Progress as Report

# Where there is no terminal, progress is about so many lines.
_LINES = 10


def moment(value: datetime | None) -> str | None:
    """RFC 3339 to the second."""
    return None if value is None else value.isoformat(timespec="seconds").replace("+00:00", "Z")


def plain(text: str, *, most: int | None = None) -> str:
    """One line of printable characters: what came from outside must not command the terminal."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if most is None or len(line) <= most else f"{line[: most - 1]}…"


@contextmanager
def progress_of(total: int, what: str) -> Iterator[Report]:
    """Show on standard error how far long work is: a bar on a terminal, plain lines elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn(f"  {what}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        done = shown = 0

        def report(more: int) -> None:
            nonlocal done, shown
            done += more
            bar.update(task, completed=done)
            at_once = done >= total and not shown
            if not (console.is_terminal or at_once) and done >= shown + total / _LINES:
                console.print(f"  {what}: {done} of {total}")
                shown = done

        yield report
