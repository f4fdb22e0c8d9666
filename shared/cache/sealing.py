"""For how long a value is kept, and which are not."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import structlog

from shared import metrics
from shared.cache.envelope import NONE_PAYLOAD, PAYLOAD_BYTES_MAX, Envelope, seal
from shared.cache.keys import CacheKey

_JITTER = 0.1  # a value is fresh for 90 to 100 % of its TTL, so that values stored together do not end together
_NEGATIVE_S_MAX = 60.0
_STALE_S_MIN = 60.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A value as it is stored."""

    stored: bytes
    life_ms: int  # until Redis forgets it


def seal_for(
    key: CacheKey, payload: bytes, *, ttl: float, under: tuple[bytes, ...], load_s: float = 0.0
) -> Sealed | None:
    """A payload made ready to be stored; None if it is too large, which is counted and logged.

    It is fresh until nearly the end of its TTL, and kept beyond it for when the loader fails. A None is fresh for a
    tenth of the TTL, 60 s at most, and not kept.

    Args:
        key: where it will be stored.
        payload: the packed value.
        ttl: seconds.
        under: the generations that were read before it was loaded.
        load_s: how long loading it took.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        metrics.cache_unstored_total.labels(key.namespace.value, "too_large").inc()
        size = {"bytes": len(payload), "limit": PAYLOAD_BYTES_MAX}
        _log.warning("cache.value_too_large", namespace=key.namespace.value, **size)
        return None
    negative = payload == NONE_PAYLOAD
    fresh_s = min(_NEGATIVE_S_MAX, ttl / 10) if negative else ttl
    fresh_s *= 1 - _JITTER * random.random()  # noqa: S311 - spread, no secret
    stale_s = 0.0 if negative else max(_STALE_S_MIN, fresh_s / 2)
    envelope = Envelope(generations=under, fresh_until=time.time() + fresh_s, load_s=load_s, payload=payload)
    return Sealed(stored=seal(envelope), life_ms=max(1, round((fresh_s + stale_s) * 1000)))
