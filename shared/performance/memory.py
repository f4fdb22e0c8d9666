"""The memory of this process, as Linux and Python count it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TypedDict

import structlog

log = structlog.get_logger()
_STATUS = Path("/proc/self/status")
_FIELD = re.compile(r"^(VmRSS|VmHWM|VmSwap):\s+([0-9]+) kB$", re.MULTILINE)
_KIB = 1024


class MemoryUsage(TypedDict):
    """Python has no heap of a size of its own: what it takes shows in the resident set."""

    rss_bytes: int  # in physical memory now
    peak_rss_bytes: int  # the most it was since the process began
    swap_bytes: int  # put out to disk; anything but 0 makes a process slow
    python_blocks: int  # blocks that Python's allocator has given out: grows with the objects that live


def read_memory_usage() -> MemoryUsage:
    """The memory of this process now. Takes some ten microseconds."""
    fields = {name: int(kib) * _KIB for name, kib in _FIELD.findall(_STATUS.read_text(encoding="ascii"))}
    return MemoryUsage(
        rss_bytes=fields["VmRSS"],
        peak_rss_bytes=fields["VmHWM"],
        swap_bytes=fields["VmSwap"],
        python_blocks=sys.getallocatedblocks(),
    )


def log_memory_usage() -> MemoryUsage:
    """Log the memory of this process, and return it."""
    usage = read_memory_usage()
    log.info("memory.usage", **usage)
    return usage
