"""What is seen of a key in Redis, and what may be done with it."""

from __future__ import annotations

import random
from enum import StrEnum

import msgspec

from shared.cache.envelope import NONE_PAYLOAD, Envelope, unseal


class CacheResult(StrEnum):
    """What became of a read, and its label in metrics."""

    HIT = "hit"  # served from Redis
    NEGATIVE = "negative"  # served from Redis: the cached value is None
    STALE = "stale"  # served from Redis past its TTL, because the loader failed; not from before an invalidation
    MISS = "miss"  # loaded
    BYPASS = "bypass"  # loaded without asking Redis, which is away
    ERROR = "error"  # Redis failed or held damaged bytes, so loaded


class Look(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was seen of a key at one moment."""

    result: CacheResult
    generations: tuple[bytes, ...] | None = None  # what a load begins under; None when Redis did not say
    payload: bytes | None = None  # a value of these generations
    fresh: bool = False  # whether the payload is within its TTL, else it is only for when the loader fails
    fresh_until: float = 0.0  # the end of that TTL, in seconds since the epoch
    due: bool = False  # whether this reader should see to it that a fresh payload is loaded anew before its TTL ends


def judge(stored: bytes | None, *, generations: tuple[bytes, ...], now: float) -> Look:
    """What these bytes are worth under these generations.

    Args:
        stored: what Redis holds under the key.
        generations: those of the key, read at the same moment or before.
        now: seconds since the epoch.
    """
    try:
        envelope = unseal(stored, generations=generations)
    except msgspec.DecodeError:
        return Look(result=CacheResult.ERROR, generations=generations)
    if envelope is None:
        return Look(result=CacheResult.MISS, generations=generations)
    fresh = now < envelope.fresh_until
    return Look(
        result=_result(envelope) if fresh else CacheResult.MISS,
        generations=generations,
        payload=envelope.payload,
        fresh=fresh,
        fresh_until=envelope.fresh_until,
        due=fresh and _is_due(envelope, now=now),
    )


def _result(envelope: Envelope) -> CacheResult:
    return CacheResult.NEGATIVE if envelope.payload == NONE_PAYLOAD else CacheResult.HIT


def _is_due(envelope: Envelope, *, now: float) -> bool:
    # Each reader draws for itself (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention,
    # 2015): the longer a load takes and the nearer the end, the likelier somebody begins one in time.
    return now + envelope.load_s * random.expovariate(1.0) >= envelope.fresh_until
