"""How a value lies in Redis: a version byte, then as MessagePack its generations, its times and its payload."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.cache.errors import CacheValueError

_VERSION = b"\x02"
PAYLOAD_BYTES_MAX = 256 * 1024
NONE_PAYLOAD = msgspec.msgpack.encode(None)


class Envelope(msgspec.Struct, array_like=True, frozen=True, kw_only=True, gc=False):
    """A stored value."""

    generations: tuple[bytes, ...]  # those that were read before it was loaded
    fresh_until: float  # end of its TTL, in seconds since the epoch; Redis keeps it a while longer
    load_s: float  # how long loading it took
    payload: bytes


_decoder = msgspec.msgpack.Decoder(Envelope)
_encoder = msgspec.msgpack.Encoder()
_plain_decoder = msgspec.msgpack.Decoder()


def pack(value: Any) -> bytes:
    """A value as payload.

    Raises:
        CacheValueError: the value holds something that is no plain data. Return dicts, lists, texts, numbers, times.
    """
    try:
        return msgspec.msgpack.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise CacheValueError(f"The value cannot be cached: {error}. Return plain data from the loader.") from error


def unpack(payload: bytes) -> Any:
    """A payload as a fresh value: callers never share one that somebody may change.

    Raises:
        CacheValueError: it was damaged in Redis, or the loader's data can be written and not read back.
    """
    try:
        return _plain_decoder.decode(payload)
    except (ValueError, RecursionError) as error:
        raise CacheValueError(f"The value cannot be read: {error}. Return plain data from the loader.") from error


def seal(envelope: Envelope) -> bytes:
    """What is stored."""
    return _VERSION + _encoder.encode(envelope)


def unseal(stored: bytes | None, *, generations: tuple[bytes, ...]) -> Envelope | None:
    """What was stored, if it was loaded under exactly these generations; None for a miss.

    Raises:
        msgspec.DecodeError: these bytes are damaged. Treat it as a miss and count it.
    """
    if stored is None or not stored.startswith(_VERSION):
        return None
    envelope = _decoder.decode(memoryview(stored)[1:])
    return envelope if envelope.generations == generations else None
