"""What a process knows of the platform: numbers that fade, and which of them Redis has not been told yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping

# Only what is unusual is remembered; beyond this many the oldest goes, and costs a call too many at most.
_KEYS_MAX = 20_000

#: A number and the seconds for which it holds; None for one that holds no more.
Fading = tuple[int, float] | None


class Memory:
    """The same keys, numbers and lifetimes as in Redis, so that the process goes on by itself while Redis is away."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """Begin with nothing known. `clock` gives monotonic seconds."""
        self._clock = clock
        self._known: dict[str, tuple[int, float]] = {}
        self._untold: set[str] = set()

    def put(self, key: str, value: int, *, seconds: float) -> None:
        """Remember a number for so long, and tell Redis when there is a chance."""
        self._keep(key, value, seconds)
        self._note_untold(key)

    def drop(self, key: str) -> None:
        """Forget a number, and have Redis forget it."""
        self._known.pop(key, None)
        self._note_untold(key)

    def get(self, key: str) -> int | None:
        """The number; None if it is not known or has faded."""
        found = self._known.get(key)
        return found[0] if found and found[1] > self._clock() else None

    def left_s(self, key: str) -> float:
        """Seconds for which the number still holds; 0 if it does not."""
        found = self._known.get(key)
        return max(found[1] - self._clock(), 0.0) if found else 0.0

    def adopt(self, told: Mapping[str, Fading]) -> None:
        """Take over what Redis says, but for what has changed here since Redis was asked."""
        for key, fading in told.items():
            if key in self._untold:
                continue
            if fading is None:
                self._known.pop(key, None)
            else:
                self._keep(key, *fading)

    def take_untold(self) -> dict[str, Fading]:
        """What Redis must be told; whoever cannot tell it puts it back."""
        keys, self._untold = self._untold, set()
        return {key: self._fading(key) for key in keys}

    def put_back(self, untold: Mapping[str, Fading]) -> None:
        """Redis could not be told: these keys stay to be told, as they are then."""
        self._untold.update(untold)

    def retell(self) -> None:
        """Tell Redis everything anew: it may have been restarted, and have forgotten."""
        self._untold.update(self._known)

    def _note_untold(self, key: str) -> None:
        if len(self._untold) >= _KEYS_MAX:  # Redis has been away for long, and what was dropped has faded there too
            self._untold.intersection_update(self._known)
        self._untold.add(key)

    def _keep(self, key: str, value: int, seconds: float) -> None:
        self._known.pop(key, None)  # the youngest stands last
        if len(self._known) >= _KEYS_MAX:
            self._make_room()
        self._known[key] = (value, self._clock() + seconds)

    def _make_room(self) -> None:
        now = self._clock()
        self._known = {key: found for key, found in self._known.items() if found[1] > now}
        while len(self._known) >= _KEYS_MAX:
            del self._known[next(iter(self._known))]

    def _fading(self, key: str) -> Fading:
        value, left_s = self.get(key), self.left_s(key)
        return None if value is None else (value, left_s)
