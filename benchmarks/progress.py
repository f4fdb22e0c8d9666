"""How far a benchmark is: a bar on a terminal, plain lines elsewhere, both on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Reporter:
    """Tells what was measured, trial by trial."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._case = ""
        self._task: TaskID | None = None

    def begin(self, case: str, *, trials: int) -> None:
        """A case with so many trials begins."""
        self._case = case
        if self._progress is not None:
            self._task = self._progress.add_task(case, total=trials)

    def tell(self, text: str) -> None:
        """A trial ended with this result."""
        line = f"{self._case}: {text}"
        if self._progress is None or self._task is None:
            print(line, file=sys.stderr, flush=True)
            return
        self._progress.console.print(line)
        self._progress.advance(self._task)


@contextmanager
def reporting() -> Iterator[Reporter]:
    """Tell of progress while the context lasts."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield Reporter(None)
        return
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield Reporter(progress)
