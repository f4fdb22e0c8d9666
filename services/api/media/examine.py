"""What the platform would refuse is refused here, before anything is planned on it; what it can take is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.api.http import Fault, ProblemError, invalid
from services.api.media.disk_full import is_disk_full, storage_full
from services.api.media.inspect_picture import damaged, inspect_picture, too_many_pixels, too_many_scans
from services.api.media.picture_limits import JPEG_BYTES_MAX
from services.api.media.run_confined import ConfinedError, run_confined
from services.api.media.spool import Spool, SpooledFile
from shared.errors import NotReadyError
from shared.instagram import MediaFacts, fitting_formats, formats_of_kind, media_faults

_PROBE = "services.api.media.probe_video"
_CONVERT = "services.api.media.convert_picture"
_AT_ONCE = 2


class Examiner:
    """Looks into files, two at a time: decoding is work for a processor core."""

    def __init__(self, spool: Spool) -> None:
        """Put converted pictures into `spool`."""
        self._spool = spool
        self._places = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def converted(self, received: SpooledFile) -> AsyncIterator[SpooledFile]:
        """The JPEG that a picture is made; the file itself where there is nothing to convert.

        Raises:
            ProblemError: it cannot be made one (`media_unsupported`), is damaged (`media_invalid`), or there is no
                room.
            NotReadyError: it cannot be looked into now. Answer 503.
        """
        if not received.type.convertible:
            yield received
            return
        async with self._spool.open() as jpeg:
            async with self._places:
                made = await _run(_CONVERT, received, target=jpeg)
            if "fault" in made:
                raise _unconvertible(made)
            if not made["converted"]:
                yield received
                return
            await jpeg.take_over()
            yield jpeg

    async def examine(self, received: SpooledFile) -> MediaFacts:
        """Look into a file.

        Raises:
            ProblemError: it is of another type or fits no format (`media_unsupported`), is damaged (`media_invalid`),
                or too large for what it is (`media_too_large`).
            NotReadyError: it cannot be looked into now. Answer 503.
        """
        if received.type.mime is None:
            raise _other_type(received)
        look = _look_into_video if received.type.kind == "video" else _look_into_picture
        async with self._places:
            facts = await look(received)
        if not fitting_formats(facts):
            raise _fits_nothing(facts)
        return facts


async def _look_into_picture(received: SpooledFile) -> MediaFacts:
    if received.size > JPEG_BYTES_MAX:
        detail = f"A JPEG may have {JPEG_BYTES_MAX:,} bytes. With convert=true a larger one is made smaller."
        raise ProblemError("media_too_large", detail)
    width, height = await asyncio.to_thread(inspect_picture, received.file)
    return MediaFacts(kind="image", mime="image/jpeg", bytes=received.size, width=width, height=height)


async def _look_into_video(received: SpooledFile) -> MediaFacts:
    found = await _run(_PROBE, received)
    if found.pop("truncated"):
        raise damaged()
    if not found["width"] or not found["height"] or not found["duration_ms"]:
        message = f"This {received.type.name} file holds no video that can be read."
        raise invalid("media_unsupported", message, path="file")
    return MediaFacts(kind="video", mime=received.type.mime or "", bytes=received.size, **found)


async def _run(module: str, received: SpooledFile, *, target: SpooledFile | None = None) -> dict[str, Any]:
    try:
        found: dict[str, Any] = await run_confined(module, received.file, target=target.file if target else None)
    except ConfinedError as error:
        raise damaged() from error
    return found


def _other_type(received: SpooledFile) -> ProblemError:
    what = received.type
    advice = " With convert=true it is made a JPEG." if what.convertible else ""
    message = f"Pictures must be JPEG, videos MP4 or MOV. This is {what.name}, whatever its name says.{advice}"
    return invalid("media_unsupported", message, path="file")


def _unconvertible(made: dict[str, Any]) -> Exception:
    match made["fault"]:
        case "pixels":
            return too_many_pixels(made["pixels"])
        case "memory":
            return invalid("media_unsupported", "It takes too much memory to convert. Scale it down.", path="file")
        case "scans":
            return too_many_scans()
        case "animated":
            return invalid(
                "media_unsupported", "It is an animation. Upload it as a video, or one picture of it.", path="file"
            )
        case "large":
            message = f"Even as a JPEG of low quality it has more than {JPEG_BYTES_MAX:,} bytes. Crop it."
            return invalid("media_unsupported", message, path="file")
        case "disk":
            error = OSError(made["errno"], "")
            return storage_full() if is_disk_full(error) else NotReadyError("a converted picture cannot be written")
        case _:
            return damaged()


def _fits_nothing(facts: MediaFacts) -> ProblemError:
    faults: dict[str, str] = {}
    for wanted in formats_of_kind(facts.kind):
        for fault in media_faults(facts, wanted):
            faults.setdefault(fault.code, fault.message)
    errors = [Fault(code=code, message=message, path="file") for code, message in faults.items()]
    return ProblemError("media_unsupported", " ".join(faults.values()), errors=errors)
