"""What a process that looks into files of strangers cannot do."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Root may start as many processes as it likes.
_CONFINED = (
    "from services.api.media.confinement import confine; import os, socket; os.getuid() or os.setuid(65534); confine();"
)
# What it tries, and the word in its last line by which it fails.
FORBIDDEN = {
    "open a file": ("open('/etc/passwd')", "Too many open files"),
    "open a connection": ("socket.socket()", "Too many open files"),
    "start a program": ("import subprocess; subprocess.run(['true'])", "Too many open files"),
    "leave a process behind": ("os.fork()", "Resource temporarily unavailable"),
    "use memory without end": ("bytearray(2 * 1024 ** 3)", "MemoryError"),
}


@pytest.mark.parametrize(("attempt", "told"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_confined_process_cannot(attempt, told):
    """Once confined, it works on what it has open and nothing else."""
    ended = subprocess.run(
        [sys.executable, "-I", "-c", _CONFINED + attempt], capture_output=True, text=True, check=False, timeout=60
    )

    assert ended.returncode != 0
    assert told in ended.stderr


def test_a_confined_process_keeps_what_it_has_open():
    """It reads its file and writes its answer."""
    ended = subprocess.run(
        [sys.executable, "-I", "-c", _CONFINED + "print(input())"],
        input="content",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ended.stdout == "content\n"
