from __future__ import annotations

import pickle
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from shared.cache import CacheValueError
from shared.cache.envelope import Envelope, pack, seal, unpack, unseal

GENERATIONS = (b"rootroot", b"useruser")
ENVELOPE = Envelope(generations=GENERATIONS, fresh_until=1_800_000_000.25, load_s=0.125, payload=pack("value"))


def test_a_value_comes_back_as_plain_data():
    """Times, numbers and bytes stay what they are; ids become text."""
    now = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    value = {"at": now, "n": 2**40, "raw": b"\x00\xff", "id": UUID(int=7), "none": None, "pair": (1, 2)}

    assert unpack(pack(value)) == {**value, "id": str(UUID(int=7)), "pair": [1, 2]}


@pytest.mark.parametrize("value", [object(), {"x": object()}, 2**80, lambda: None])
def test_what_is_no_plain_data_is_refused(value):
    """A loader's slip is told at once, not at the first cached read."""
    with pytest.raises(CacheValueError, match="Return plain data"):
        pack(value)


@pytest.mark.parametrize(
    "now",
    [(b"rootroot", b"renewed!"), (b"renewed!", b"useruser"), (b"rootroot",), (*GENERATIONS, b"x"), ()],
)
def test_a_value_is_served_only_under_the_generations_it_was_loaded_under(now):
    """A generation that was renewed, lost or added makes the stored value a miss."""
    stored = seal(ENVELOPE)

    assert unseal(stored, generations=now) is None
    assert unseal(stored, generations=GENERATIONS) == ENVELOPE


@pytest.mark.parametrize("stored", [None, b"", b"\x01rest", pickle.dumps("value")])
def test_bytes_of_another_format_are_a_miss(stored):
    """What an older or foreign program left is not looked into."""
    assert unseal(stored, generations=GENERATIONS) is None


def test_damaged_bytes_are_told_apart_from_a_miss():
    """A truncated value is an error that can be counted."""
    with pytest.raises(msgspec.DecodeError):
        unseal(seal(ENVELOPE)[:-3], generations=GENERATIONS)


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\xa1\xff", b"\x91" * 3000])
def test_a_payload_that_cannot_be_read_is_refused(payload):
    """Whatever is wrong with it, it is one error."""
    with pytest.raises(CacheValueError):
        unpack(payload)
