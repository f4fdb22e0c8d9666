"""How far a backup or a restore is, told on standard error: one line that moves on a terminal, few lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable

#: Is told what is worked on, how much of it is done, and how much there is (0: nobody knows).
Progress = Callable[[str, int, int], None]
_LINES = 10


def progress_on_stderr() -> Progress:
    """What the commands use."""
    shown: dict[str, int] = {}

    def report(what: str, done: int, total: int) -> None:
        at_end = done == total
        step = 1 if sys.stderr.isatty() else max(total // _LINES, 1)
        if not at_end and done < shown.get(what, 0) + step:
            return
        shown[what] = done
        text = f"  {what}: {done:,}" + (f" of {total:,}" if total and not at_end else "")
        if sys.stderr.isatty():
            print(f"\r{text}", end="\n" if at_end else "", file=sys.stderr, flush=True)
        elif at_end or total:
            print(text, file=sys.stderr, flush=True)

    return report
