"""What the platform takes, per format, as data; and the one function that holds a medium against it.

Source: Meta's reference of `POST /{ig-user-id}/media`, copy of 2026-09-11. Items of a carousel have no limits of their
own there; pictures are held to those of the feed, videos to the codecs of reels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Literal

MediaKind = Literal["image", "video"]
_MB = 1024 * 1024


class MediaFormat(StrEnum):
    """A place that a medium can stand in."""

    FEED_IMAGE = "feed_image"
    REEL = "reel"
    STORY_IMAGE = "story_image"
    STORY_VIDEO = "story_video"
    CAROUSEL_IMAGE = "carousel_image"
    CAROUSEL_VIDEO = "carousel_video"
    REEL_COVER = "reel_cover"


@dataclass(frozen=True, kw_only=True)
class MediaFacts:
    """What a look into a medium's bytes found. Of a picture all but the first five are None."""

    kind: MediaKind
    mime: str  # image/jpeg, video/mp4, video/quicktime
    bytes: int
    width: int  # pixels, as shown: turned if the medium says so
    height: int
    duration_ms: int | None = None
    video_codec: str | None = None  # h264, hevc or another's name in lower case
    audio_codec: str | None = None  # aac or another's name; None: no sound
    frame_rate: float | None = None  # frames per second
    bit_rate: int | None = None  # bits per second, of all streams together
    audio_channels: int | None = None
    audio_rate_hz: int | None = None
    chroma: str | None = None  # 4:2:0
    progressive: bool | None = None
    index_first: bool | None = None  # the moov box stands before the data


@dataclass(frozen=True, kw_only=True)
class FormatRule:
    """Limits of one format; None where the platform names none."""

    kind: MediaKind
    bytes_max: int
    ratio_min: Fraction | None = None  # width / height
    ratio_max: Fraction | None = None
    width_max: int | None = None  # pixels
    duration_min_ms: int | None = None
    duration_max_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class MediaFault:
    """Why a medium cannot stand in a format, and what to do about it."""

    code: str  # a stable word
    message: str


# The platform scales pictures of the feed to 320 to 1440 pixels itself, so their width is no reason to refuse one.
_FEED = FormatRule(kind="image", bytes_max=8 * _MB, ratio_min=Fraction(4, 5), ratio_max=Fraction(191, 100))
_PICTURE = FormatRule(kind="image", bytes_max=8 * _MB)
_REEL = FormatRule(
    kind="video",
    bytes_max=300 * _MB,
    ratio_min=Fraction(1, 100),
    ratio_max=Fraction(10),
    width_max=1920,
    duration_min_ms=3_000,
    duration_max_ms=15 * 60_000,
)

FORMAT_RULES: Mapping[MediaFormat, FormatRule] = MappingProxyType(
    {
        MediaFormat.FEED_IMAGE: _FEED,
        MediaFormat.CAROUSEL_IMAGE: _FEED,
        MediaFormat.STORY_IMAGE: _PICTURE,
        MediaFormat.REEL_COVER: _PICTURE,
        MediaFormat.REEL: _REEL,
        MediaFormat.CAROUSEL_VIDEO: _REEL,
        MediaFormat.STORY_VIDEO: replace(_REEL, bytes_max=100 * _MB, ratio_min=Fraction(1, 10), duration_max_ms=60_000),
    }
)

_VIDEO_CODECS = frozenset({"h264", "hevc"})
_FRAME_RATES = (23.0, 60.0)  # frames per second; 23.976 is the slowest in use
_BIT_RATE_MAX = 25_000_000
_AUDIO_RATE_MAX_HZ = 48_000
_AUDIO_CHANNELS_MAX = 2


def media_faults(facts: MediaFacts, wanted: MediaFormat) -> list[MediaFault]:
    """Everything for which the platform would refuse this medium in this format; empty if nothing."""
    rule = FORMAT_RULES[wanted]
    if facts.kind != rule.kind:
        return [MediaFault(code="wrong_kind", message=f"A {wanted.replace('_', ' ')} must be a {rule.kind}.")]
    faults = list(_size_faults(facts, rule))
    return faults + list(_video_faults(facts, rule)) if facts.kind == "video" else faults


def formats_of_kind(kind: MediaKind) -> list[MediaFormat]:
    """The formats that a picture, or a video, could stand in if nothing spoke against it."""
    return [wanted for wanted in MediaFormat if FORMAT_RULES[wanted].kind == kind]


def fitting_formats(facts: MediaFacts) -> list[MediaFormat]:
    """The formats this medium can stand in."""
    return [wanted for wanted in MediaFormat if not media_faults(facts, wanted)]


def _size_faults(facts: MediaFacts, rule: FormatRule) -> Iterator[MediaFault]:
    ratio, shown = Fraction(facts.width, facts.height), f"{facts.width} x {facts.height}"
    if facts.bytes > rule.bytes_max:
        most = rule.bytes_max // _MB
        yield MediaFault(code="too_large", message=f"It has {facts.bytes / _MB:.1f} MiB; at most {most} are taken.")
    if (rule.ratio_min and ratio < rule.ratio_min) or (rule.ratio_max and ratio > rule.ratio_max):
        low, high = float(rule.ratio_min or 0), float(rule.ratio_max or 0)
        yield MediaFault(
            code="wrong_ratio",
            message=f"Its width to height is {float(ratio):.3f} ({shown}); {low:g} to {high:g} is taken. Crop it.",
        )
    if rule.width_max and facts.width > rule.width_max:
        message = f"It is {facts.width} pixels wide; at most {rule.width_max} are taken."
        yield MediaFault(code="too_wide", message=message)


def _video_faults(facts: MediaFacts, rule: FormatRule) -> Iterator[MediaFault]:
    seconds = (facts.duration_ms or 0) / 1000
    if rule.duration_min_ms and (facts.duration_ms or 0) < rule.duration_min_ms:
        message = f"It lasts {seconds:g} s; at least {rule.duration_min_ms / 1000:g} s are needed."
        yield MediaFault(code="too_short", message=message)
    if rule.duration_max_ms and (facts.duration_ms or 0) > rule.duration_max_ms:
        message = f"It lasts {seconds:g} s; at most {rule.duration_max_ms / 1000:g} s are taken."
        yield MediaFault(code="too_long", message=message)
    yield from _stream_faults(facts)


def _stream_faults(facts: MediaFacts) -> Iterator[MediaFault]:
    demands = (
        (facts.video_codec in _VIDEO_CODECS, "video_codec", f"Its video is {facts.video_codec}; use H.264 or HEVC."),
        (facts.audio_codec in {None, "aac"}, "audio_codec", f"Its sound is {facts.audio_codec}; use AAC."),
        (
            facts.frame_rate is None or _FRAME_RATES[0] <= facts.frame_rate <= _FRAME_RATES[1],
            "frame_rate",
            f"It has {facts.frame_rate or 0:g} frames per second; 23 to 60 are taken.",
        ),
        (
            (facts.bit_rate or 0) <= _BIT_RATE_MAX,
            "bit_rate",
            f"It has {(facts.bit_rate or 0) / 1e6:.1f} Mbit/s; at most {_BIT_RATE_MAX // 1_000_000} are taken.",
        ),
        (
            (facts.audio_rate_hz or 0) <= _AUDIO_RATE_MAX_HZ and (facts.audio_channels or 0) <= _AUDIO_CHANNELS_MAX,
            "audio_format",
            "Its sound must have at most 48 kHz and two channels.",
        ),
        (facts.chroma in {None, "4:2:0"}, "chroma", f"Its colours are sampled {facts.chroma}; use 4:2:0."),
        (facts.progressive is not False, "interlaced", "It is interlaced; use progressive frames."),
        (
            facts.index_first is not False,
            "index_last",
            "Its index (moov) stands behind the data; write it with 'faststart'.",
        ),
    )
    yield from (MediaFault(code=code, message=message) for fine, code, message in demands if not fine)
