"""The look into the bytes of a medium, and what it is held against."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction

from deploy.emulator.error_table import RATIO_UNSUPPORTED, THUMBNAIL_OUTSIDE, VIDEO_UNSUPPORTED
from deploy.emulator.errors import GraphError
from deploy.emulator.fetching import Fetched
from deploy.emulator.formats import MediaRules
from deploy.emulator.pictures import look_into_picture
from deploy.emulator.videos import look_into_video

_KNOWN_MAX = 256
VIDEOS_AT_ONCE = 4  # on disk, of at most 300 MiB each


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspected:
    """What was found in a medium that can be decoded."""

    bytes: int
    width: int  # pixels, as shown
    height: int  # pixels
    duration_ms: int | None = None  # of a video
    faults: tuple[str, ...] = ()  # for which a video is refused wherever it stands
    preview_key: str | None = None  # of a picture, for `Inspector.preview`


class Inspector:
    """Looks into media, and knows the latest again: a distribution brings the same file to every account."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Inspected] = {}  # oldest first
        self._previews: dict[str, bytes] = {}
        self._videos = asyncio.Semaphore(VIDEOS_AT_ONCE)

    def place(self, rules: MediaRules) -> AbstractAsyncContextManager[None]:
        """Where a medium is, from its first byte until it was inspected: videos wait for one."""
        return self._videos if rules.kind == "video" else nullcontext()

    async def inspect(self, fetched: Fetched, rules: MediaRules) -> Inspected:
        """Look into a medium, in a thread, unless these bytes were seen lately; hold it against the rules.

        Raises:
            GraphError: it cannot be decoded, or breaks a rule; give it to the client.
        """
        key = (rules.kind, fetched.digest)
        found = self._known.get(key)
        if found is None:
            found = await (self._picture(fetched) if rules.kind == "image" else self._video(fetched))
            self._known[key] = found
            while len(self._known) > _KNOWN_MAX:
                forgotten = self._known.pop(next(iter(self._known)))
                self._previews.pop(forgotten.preview_key or "", None)
        check(found, rules)
        return found

    def preview(self, key: str | None) -> bytes | None:
        """A small JPEG of a picture that was inspected lately."""
        return self._previews.get(key or "")

    async def _picture(self, fetched: Fetched) -> Inspected:
        width, height, self._previews[fetched.digest] = await asyncio.to_thread(look_into_picture, fetched.file)
        return Inspected(bytes=fetched.bytes, width=width, height=height, preview_key=fetched.digest)

    async def _video(self, fetched: Fetched) -> Inspected:
        video = await asyncio.to_thread(look_into_video, fetched.file.name)
        return Inspected(
            bytes=fetched.bytes,
            width=video.width,
            height=video.height,
            duration_ms=video.duration_ms,
            faults=video.faults,
        )


def check(found: Inspected, rules: MediaRules) -> None:
    """Hold a medium against the limits of a format.

    Raises:
        GraphError: it breaks one; give it to the client.
    """
    ratio = Fraction(found.width, found.height)
    fits = (rules.ratio_min or ratio) <= ratio <= (rules.ratio_max or ratio)
    if rules.kind == "image":
        if not fits:
            raise GraphError(RATIO_UNSUPPORTED, f"The aspect ratio is not supported: {found.width}x{found.height}")
        return
    duration_ms = found.duration_ms or 0
    broken = list(found.faults)
    if not fits:
        broken.append(f"the aspect ratio {found.width}x{found.height}")
    if rules.width_max and found.width > rules.width_max:
        broken.append(f"the width {found.width}")
    if not rules.duration_min_ms <= duration_ms <= rules.duration_max_ms:
        broken.append(f"the duration {duration_ms / 1000:g} s")
    if broken:
        raise GraphError(VIDEO_UNSUPPORTED, f"The video format is not supported: {', '.join(broken)}")


def check_thumbnail(found: Inspected, offset_ms: int) -> None:
    """Make sure that a thumbnail can be taken at this moment of the video.

    Raises:
        GraphError: the video is over by then.
    """
    if offset_ms > (found.duration_ms or 0):
        raise GraphError(THUMBNAIL_OUTSIDE)
