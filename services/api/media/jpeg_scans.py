"""How often a JPEG goes over its whole picture. Imports little: the process that converts pictures starts often."""

from __future__ import annotations

import re

#: Progressive pictures have about ten. A file may have thousands for each MiB, and keep a decoder busy for an hour.
SCANS_MAX = 100
_SCAN, _END = b"\xda", b"\xd9"
# The markers that have a length. Others stand alone, or within the data of a scan.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")


def count_scans(content: bytes) -> int:
    """The scans of a JPEG; counting ends beyond `SCANS_MAX`, and at the picture's end, whatever follows it."""
    scans, at = 0, 2
    while scans <= SCANS_MAX and (found := _MARKER.search(content, at)) and found[1] != _END:
        scans += found[1] == _SCAN
        at = found.end() + int.from_bytes(content[found.end() : found.end() + 2])
    return scans
