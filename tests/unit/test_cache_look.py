from __future__ import annotations

import random

import pytest

from shared.cache import CacheResult
from shared.cache.envelope import Envelope, pack, seal
from shared.cache.look import judge

GENERATIONS = (b"rootroot", b"useruser")
END = 1_800_000_000.0


def stored(value="value", *, load_s=0.0):
    return seal(Envelope(generations=GENERATIONS, fresh_until=END, load_s=load_s, payload=pack(value)))


def look(*, now=END - 1, generations=GENERATIONS, **envelope):
    return judge(stored(**envelope), generations=generations, now=now)


@pytest.mark.parametrize(
    ("value", "result"), [("value", CacheResult.HIT), ([], CacheResult.HIT), (None, CacheResult.NEGATIVE)]
)
def test_a_value_within_its_ttl_is_served(value, result):
    """A fresh value is a hit, and a cached None is told apart."""
    seen = look(value=value)

    assert (seen.result, seen.payload, seen.fresh) == (result, pack(value), True)


def test_a_value_past_its_ttl_is_a_miss_that_is_kept_for_need():
    """From the end of its TTL on, a value is only for when the loader fails."""
    seen = look(now=END)

    assert (seen.result, seen.payload, seen.fresh, seen.due) == (CacheResult.MISS, pack("value"), False, False)


def test_a_void_value_is_for_nothing():
    """A value of other generations is not even kept for when the loader fails."""
    seen = look(generations=(b"rootroot", b"renewed!"))

    assert (seen.result, seen.payload, seen.fresh) == (CacheResult.MISS, None, False)


def test_damaged_bytes_are_an_error_and_nothing_to_serve():
    """What cannot be read is counted as such."""
    seen = judge(stored()[:-3], generations=GENERATIONS, now=END - 1)

    assert (seen.result, seen.payload, seen.generations) == (CacheResult.ERROR, None, GENERATIONS)


def test_what_loads_at_once_is_never_due():
    """Without the prospect of a wait nobody loads before the end."""
    assert not any(look(now=END - 0.001, load_s=0.0).due for _ in range(100))


def test_the_nearer_the_end_the_likelier_it_is_due(monkeypatch):
    """One load time before the end a reader in three begins to refresh, three of them before it one in twenty."""
    monkeypatch.setattr("shared.cache.look.random", random.Random(7))  # noqa: S311 - the same draws in every run

    one_before = sum(look(now=END - 1, load_s=1.0).due for _ in range(2000))
    three_before = sum(look(now=END - 3, load_s=1.0).due for _ in range(2000))

    assert 650 < one_before < 820
    assert 60 < three_before < 140
