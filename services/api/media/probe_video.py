"""A process that reads a video from standard input and writes what it found as JSON. Started by `examine.py`."""

from __future__ import annotations

import json
import sys
from typing import Any

from pymediainfo import MediaInfo

from services.api.media.confinement import confine

# Of a file that fits into one buffer whole, the library leaves out what it finds in the frames.
_BUFFER_BYTES = 4096
_CODECS = {"AVC": "h264", "HEVC": "hevc", "AAC": "aac"}


def main() -> None:
    """Look into the video; an answer without `width` says that there is none."""
    MediaInfo.can_parse()  # loads the library, which cannot be opened any more once this process is confined
    confine()
    report = MediaInfo.parse(sys.stdin.buffer, output="JSON", buffer_size=_BUFFER_BYTES)
    json.dump(_facts(json.loads(report)["media"]["track"]), sys.stdout)


def _facts(tracks: list[dict[str, Any]]) -> dict[str, Any]:
    general = _first(tracks, "General")
    video = _first(tracks, "Video")
    sounds = [track for track in tracks if track["@type"] == "Audio"]
    width, height = _whole(video, "Width"), _whole(video, "Height")
    if abs(_number(video, "Rotation") or 0) in {90, 270}:
        width, height = height, width
    return {
        "truncated": _is_truncated(general),
        "width": width,
        "height": height,
        "duration_ms": _milliseconds(general, "Duration"),
        "video_codec": _codec(video),
        "frame_rate": _number(video, "FrameRate"),
        "bit_rate": _whole(general, "OverallBitRate"),
        "chroma": _word(video, "ChromaSubsampling"),
        "progressive": video["ScanType"] == "Progressive" if "ScanType" in video else None,
        "index_first": general["IsStreamable"] == "Yes" if "IsStreamable" in general else None,
        **_sound_facts(sounds),
    }


def _sound_facts(sounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Of several sound tracks, whatever is worst."""
    codecs = [_codec(sound) or "unknown" for sound in sounds]
    return {
        "audio_codec": next((codec for codec in codecs if codec != "aac"), codecs[0] if codecs else None),
        "audio_channels": max((_whole(sound, "Channels") or 0 for sound in sounds), default=None),
        "audio_rate_hz": max((_whole(sound, "SamplingRate") or 0 for sound in sounds), default=None),
    }


def _first(tracks: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next((track for track in tracks if track["@type"] == kind), {})


def _is_truncated(general: dict[str, Any]) -> bool:
    return isinstance(extra := general.get("extra"), dict) and extra.get("IsTruncated") == "Yes"


def _codec(track: dict[str, Any]) -> str | None:
    name = track.get("Format")
    return _CODECS.get(name, name.lower()) if isinstance(name, str) else None


def _word(track: dict[str, Any], name: str) -> str | None:
    words = str(track.get(name, "")).split()
    return words[0] if words else None


def _number(track: dict[str, Any], name: str) -> float | None:
    try:
        return float(_word(track, name) or "")
    except ValueError:
        return None


def _whole(track: dict[str, Any], name: str) -> int | None:
    number = _number(track, name)
    return None if number is None else int(number)


def _milliseconds(track: dict[str, Any], name: str) -> int | None:
    seconds = _number(track, name)
    return None if seconds is None else round(seconds * 1000)


if __name__ == "__main__":
    main()
