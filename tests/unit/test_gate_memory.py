"""What a process knows of the platform: it fades, and Redis is told of it once."""

import pytest

from shared.instagram.gate import memory as memory_module
from shared.instagram.gate.memory import Memory


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def memory(clock):
    return Memory(clock=clock)


def test_a_number_holds_for_its_time(memory, clock):
    """And not a moment longer."""
    memory.put("a", 7, seconds=10)
    clock.now = 9.0
    before = (memory.get("a"), memory.left_s("a"))
    clock.now = 10.0

    assert before == (7, 1.0)
    assert (memory.get("a"), memory.left_s("a")) == (None, 0.0)


def test_each_change_is_told_once_with_the_time_it_has_left(memory, clock):
    """Whoever tells it later tells less time; a number that is dropped is told as none."""
    memory.put("a", 7, seconds=10)
    memory.put("b", 8, seconds=10)
    memory.drop("b")
    clock.now = 4.0

    assert memory.take_untold() == {"a": (7, 6.0), "b": None}
    assert memory.take_untold() == {}


def test_what_could_not_be_told_is_told_later(memory):
    """Redis was away."""
    memory.put("a", 7, seconds=10)

    memory.put_back(memory.take_untold())

    assert memory.take_untold() == {"a": (7, 10.0)}


def test_what_redis_says_counts_but_for_what_has_changed_since(memory):
    """A change made while the question was under way is newer than its answer."""
    memory.put("old", 1, seconds=10)
    memory.put("gone", 1, seconds=10)
    memory.take_untold()
    memory.put("new", 5, seconds=10)

    memory.adopt({"old": (2, 20.0), "gone": None, "new": None, "other": (3, 5.0)})

    assert [memory.get(key) for key in ("old", "gone", "new", "other")] == [2, None, 5, 3]
    assert memory.take_untold() == {"new": (5, 10.0)}


def test_memory_is_bounded_by_leaving_out_the_oldest(memory, monkeypatch):
    """A million accounts cost no more than a few thousand."""
    monkeypatch.setattr(memory_module, "_KEYS_MAX", 3)

    for number in range(5):
        memory.put(f"key{number}", number, seconds=10)

    assert [memory.get(f"key{number}") for number in range(5)] == [None, None, 2, 3, 4]
    assert len(memory.take_untold()) == 3
