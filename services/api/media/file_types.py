"""What a file is by its first bytes, never by its name or by what a client calls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

#: So many first bytes tell all types apart.
HEAD_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class FileType:
    """A kind of file."""

    name: str  # as people call it
    kind: Literal["image", "video"] | None = None  # None: of no use here
    mime: str | None = None  # None: kept only once it is converted, if at all
    suffix: str = ""
    convertible: bool = False  # can be made a JPEG


JPEG = FileType(name="JPEG", kind="image", mime="image/jpeg", suffix=".jpg", convertible=True)
_PNG = FileType(name="PNG", kind="image", convertible=True)
_WEBP = FileType(name="WebP", kind="image", convertible=True)
_MP4 = FileType(name="MP4", kind="video", mime="video/mp4", suffix=".mp4")
_MOV = FileType(name="MOV", kind="video", mime="video/quicktime", suffix=".mov")
_UNKNOWN = FileType(name="neither a picture nor a video that is known here")

#: The types whose bytes are kept, by the suffix of their keys.
KEPT_TYPES = {kept.suffix: kept for kept in (JPEG, _MP4, _MOV)}

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
# Boxes that begin a QuickTime file from before files named their brand.
_OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})


def recognise(head: bytes) -> FileType:
    """The type of the file that begins with `head`, its first `HEAD_BYTES` bytes or all it has."""
    return next((found for fits, found in _SIGNS if fits(head)), None) or _by_box(head)


def _begins(*signs: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signs)


_SIGNS: tuple[tuple[Callable[[bytes], bool], FileType], ...] = (
    (lambda head: not head, FileType(name="an empty file")),
    (_begins(b"\xff\xd8\xff"), JPEG),
    (_begins(b"\x89PNG\r\n\x1a\n"), _PNG),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", _WEBP),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"AVI ", FileType(name="AVI")),
    (_begins(b"GIF87a", b"GIF89a"), FileType(name="GIF")),
    (_begins(b"BM"), FileType(name="BMP")),
    (_begins(b"II*\0", b"MM\0*"), FileType(name="TIFF")),
    (_begins(b"\x1a\x45\xdf\xa3"), FileType(name="WebM or Matroska")),
    (_begins(b"\0\0\x01\xba", b"\0\0\x01\xb3"), FileType(name="MPEG")),
    (_begins(b"FLV\x01"), FileType(name="Flash video")),
    (_begins(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), FileType(name="Windows Media")),
)


def _by_box(head: bytes) -> FileType:
    box, brand = head[4:8], head[8:12]
    if box in _OLD_QUICKTIME:
        return _MOV
    if box != b"ftyp":
        return _UNKNOWN
    if brand in _HEIC_BRANDS:
        return FileType(name="HEIC")
    if brand in _AVIF_BRANDS:
        return FileType(name="AVIF")
    if brand.startswith(b"3g"):
        return FileType(name="3GP")
    return _MOV if brand == b"qt  " else _MP4
