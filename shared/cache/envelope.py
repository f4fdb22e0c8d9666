"""How a value lies in Redis: a version byte, then as MessagePack its generations and its payload."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.cache.errors import CacheValueError

_VERSION = b"\x01"
PAYLOAD_BYTES_MAX = 256 * 1024
NONE_PAYLOAD = msgspec.msgpack.encode(None)


class _Envelope(msgspec.Struct, array_like=True):
    generations: tuple[bytes, ...]
    payload: bytes


_envelope_decoder = msgspec.msgpack.Decoder(_Envelope)


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
    """A payload as a fresh value: callers never share one that somebody may change."""
    return msgspec.msgpack.decode(payload)


def seal(payload: bytes, *, generations: tuple[bytes, ...]) -> bytes:
    """What is stored: the payload with the generations that were read before it was loaded."""
    return _VERSION + msgspec.msgpack.encode(_Envelope(generations, payload))


def unseal(stored: bytes | None, *, generations: tuple[bytes | None, ...]) -> bytes | None:
    """The payload, if it was loaded under exactly these generations; None for a miss.

    Raises:
        msgspec.DecodeError: these bytes are damaged. Treat it as a miss and count it.
    """
    if stored is None or None in generations or not stored.startswith(_VERSION):
        return None
    envelope = _envelope_decoder.decode(memoryview(stored)[1:])
    return envelope.payload if envelope.generations == generations else None
