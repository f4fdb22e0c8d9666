"""One log for all parts: every line with its part's name; and log files that cannot grow without bound."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

LINE_BYTES_MAX = 16_384  # more than a line of ours ever has: cut in two, it would be no JSON any more
FILE_BYTES_MAX = 10_000_000
_READ_BYTES = 65_536
_NAME_WIDTH = 11
_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
# Control characters could steer the reader's terminal, and a part's own colours would mix with those of the names.
_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_HARMLESS = dict.fromkeys((*range(9), *range(10, 32), 127, *range(128, 160)))


class BoundedFile:
    """A log file of at most `bytes_max`, plus one older file of the same size beside it."""

    def __init__(self, path: Path, *, bytes_max: int = FILE_BYTES_MAX) -> None:
        self.path = path
        self._bytes_max = bytes_max
        self._file = path.open("ab", buffering=0)

    def line(self, text: str) -> None:
        """Append one line. A full disk costs log lines, not the system."""
        with suppress(OSError, ValueError):  # ValueError: closed by a failure to reopen it
            if self._file.tell() > self._bytes_max:
                self._file.close()
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
                self._file = self.path.open("ab", buffering=0)
            self._file.write(f"{text}\n".encode(errors="replace"))

    def close(self) -> None:
        """Close the file; it stays readable for people."""
        self._file.close()


class Log:
    """The common log, on a stream or in a bounded file."""

    def __init__(self, stream: TextIO | None = None, *, file: BoundedFile | None = None) -> None:
        self._stream = sys.stdout if stream is None and file is None else stream
        self._file = file
        self._colour = self._stream is not None and self._stream.isatty()

    def line(self, name: str, text: str) -> None:
        """Write one line of the part `name`."""
        if self._file is not None:
            self._file.line(f"{name:<{_NAME_WIDTH}}| {text}")
        if self._stream is None:
            return
        label = f"{name:<{_NAME_WIDTH}}|"
        if self._colour:
            label = f"\x1b[{_COLOURS[sum(name.encode()) % len(_COLOURS)]}m{label}\x1b[0m"
        try:
            self._stream.write(f"{label} {text}\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None  # the reader has gone; the system goes on


async def read_lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of a process, harmless to a terminal and of bounded length."""
    pending = b""
    cut = 0
    while chunk := await stream.read(_READ_BYTES):
        *lines, rest = (pending + chunk).split(b"\n")
        for line in lines:
            yield _text(line, cut)
            cut = 0
        pending = rest[:LINE_BYTES_MAX]
        cut += len(rest) - len(pending)
    if pending:
        yield _text(pending, cut)


def _text(line: bytes, cut: int) -> str:
    cut += max(0, len(line) - LINE_BYTES_MAX)
    text = _SEQUENCES.sub("", line[:LINE_BYTES_MAX].decode(errors="replace")).translate(_HARMLESS)
    return f"{text} ... ({cut} bytes cut)" if cut else text
