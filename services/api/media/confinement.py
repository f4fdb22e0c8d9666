"""The limits of a process that looks into files of strangers.

A crafted file may crash a decoder, keep it busy, make it eat memory, or have it open what the file names. Such a
process meets limits on processor time and memory, and opens no file or socket once it is confined, and, unless it is
root's, leaves no process behind that outlives it.
"""

from __future__ import annotations

import resource

_CPU_S = 20
_MEMORY_BYTES = 1024 * 1024 * 1024
_WRITTEN_BYTES = 64 * 1024 * 1024


def confine() -> None:
    """Limit this process; call it once everything is imported and before the file is looked at."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_WRITTEN_BYTES, _WRITTEN_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    # What is open stays usable, and nothing is opened after it: neither files nor sockets.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
