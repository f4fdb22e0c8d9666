from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pymediainfo import MediaInfo

from deploy.emulator.error_table import VIDEO_UNSUPPORTED
from deploy.emulator.errors import GraphError

_CONTAINERS = frozenset({"MPEG-4", "QuickTime"})
_CODECS = frozenset({"AVC", "HEVC"})
_FRAME_RATES = (23.0, 60.0)
_BIT_RATE_MAX = 25_000_000
_AUDIO_HZ_MAX = 48_000
_AUDIO_CHANNELS_MAX = 2
_QUARTER_TURNS = frozenset({90, 270})


@dataclass(frozen=True, kw_only=True)
class Video:
    """What a video says of itself."""

    width: int  # pixels, as shown
    height: int  # pixels
    duration_ms: int
    faults: tuple[str, ...]  # what no format takes


def look_into_video(path: str) -> Video:
    """Read the headers of a video. Takes tens of milliseconds: call it in a thread.

    Raises:
        GraphError: there is no video in it; give it to the client.
    """
    try:
        info = MediaInfo.parse(path)
    except (OSError, RuntimeError, ValueError, SyntaxError) as error:
        raise GraphError(VIDEO_UNSUPPORTED) from error
    if not info.video_tracks or not (info.video_tracks[0].width and info.video_tracks[0].height):
        raise GraphError(VIDEO_UNSUPPORTED, "The video format is not supported: there is no video in it")
    general, video = info.general_tracks[0], info.video_tracks[0]
    width, height = int(video.width), int(video.height)
    if round(float(video.rotation or 0)) % 360 in _QUARTER_TURNS:
        width, height = height, width
    faults = (*_container_faults(general), *_picture_faults(video), *_sound_faults(info.audio_tracks))
    return Video(
        width=width,
        height=height,
        duration_ms=round(float(general.duration or video.duration or 0)),
        faults=faults,
    )


def _container_faults(general: Any) -> Iterator[str]:
    if general.format not in _CONTAINERS and not str(general.format_profile or "").startswith("QuickTime"):
        yield f"the container {general.format}"
    elif general.isstreamable != "Yes":
        yield "an index (moov) behind the data"
    if float(general.overall_bit_rate or 0) > _BIT_RATE_MAX:
        yield f"{float(general.overall_bit_rate) / 1e6:.1f} Mbit/s"


def _picture_faults(video: Any) -> Iterator[str]:
    rate = float(video.frame_rate or 0)
    if video.format not in _CODECS:
        yield f"the codec {video.format}"
    if not _FRAME_RATES[0] <= rate <= _FRAME_RATES[1]:
        yield f"{rate:g} frames per second"
    if video.chroma_subsampling not in {None, "4:2:0"}:
        yield f"the chroma {video.chroma_subsampling}"
    if video.scan_type not in {None, "Progressive"}:
        yield "interlaced frames"


def _sound_faults(tracks: list[Any]) -> Iterator[str]:
    for sound in tracks:
        if sound.format != "AAC":
            yield f"the sound {sound.format}"
        if float(sound.sampling_rate or 0) > _AUDIO_HZ_MAX or int(sound.channel_s or 0) > _AUDIO_CHANNELS_MAX:
            yield "the form of the sound"
