"""The breaker: when the platform counts as down, who tries it meanwhile, and when it is back."""

from __future__ import annotations

import random
from collections.abc import Callable

from shared.instagram.error_rules import ErrorClass
from shared.instagram.errors import GraphError, GraphUnclearError, GraphUnreachableError, InstagramError
from shared.instagram.gate.evidence import ACCOUNTS_LEAST, Window, is_outage, window_keys
from shared.instagram.gate.memory import Memory
from shared.instagram.gate.wait import Wait

OUTAGE = "ig:outage"
PROBE = "ig:probe"
#: What must be known to answer whether the platform is down.
OUTAGE_KEYS = (OUTAGE, PROBE)

# The waits of an outage: as long as it has lasted, within these bounds, and up to half as much again.
WAIT_LEAST_S = 15.0
WAIT_MOST_S = 300.0
_JITTER_MOST = 1.5
#: An outage that nobody has tried for so long is forgotten: whoever calls next finds out.
OUTAGE_S = 900.0
#: How long a probe's place is kept for a worker that says nothing: longer than one call to the platform may take.
PROBE_LEASE_S = 90.0

# Meta's codes for failures of its own. Other errors it calls transient are about the object of the call.
_SERVER_CODES = frozenset({None, -1, 1, 2})
_SERVER_ERROR = 500


def is_outage_sign(error: InstagramError | None) -> bool:
    """Whether an exchange ended as those of a platform that is down do."""
    if isinstance(error, GraphUnreachableError):
        return not error.through_proxy
    if isinstance(error, GraphUnclearError):
        return True
    if not isinstance(error, GraphError) or error.error_class is not ErrorClass.TRANSIENT:
        return False
    return error.code in _SERVER_CODES or error.http_status >= _SERVER_ERROR


class Outage:
    """The breaker's state, in the memory that all processes share, and the probe that this process has under way."""

    def __init__(
        self, memory: Memory, *, clock: Callable[[], float], wall: Callable[[], float], rng: random.Random
    ) -> None:
        """Begin as `memory` knows it.

        Args:
            memory: what all processes share.
            clock: monotonic seconds.
            wall: seconds since 1970, to tell other machines how old the outage is.
            rng: gives the jitter.
        """
        self._memory = memory
        self._wall = wall
        self._rng = rng
        self.window = Window(clock=clock)
        self._probe: str | None = None
        self._answered = False

    @property
    def down(self) -> bool:
        """Whether the breaker is open."""
        return self._memory.get(OUTAGE) is not None

    @property
    def probed(self) -> bool:
        """Whether somebody is trying the platform, or has just tried it in vain."""
        return self._memory.left_s(PROBE) > 0

    def note(self, ig_user_id: str, error: InstagramError | None) -> None:
        """Learn from an exchange."""
        failed = is_outage_sign(error)
        self.window.note(ig_user_id, failed=failed)
        if ig_user_id == self._probe:
            self._note_probe(failed=failed)
        elif failed and is_outage(self.window.evidence(), accounts_least=ACCOUNTS_LEAST):
            self.open()

    def open(self) -> None:
        """The platform is down, from now on unless that is known already."""
        if not self.down:
            self._memory.put(OUTAGE, int(self._wall()), seconds=OUTAGE_S)

    def wait(self) -> Wait:
        """The wait of whoever is not the probe."""
        return Wait(reason="platform_down", delay_s=self._pause_s() * self._rng.uniform(1.0, _JITTER_MOST))

    def begin_probe(self, ig_user_id: str) -> None:
        """The try of this account is the probe: it closes the breaker if all its calls are answered."""
        self._probe, self._answered = ig_user_id, False
        self._memory.put(PROBE, 1, seconds=PROBE_LEASE_S)

    def end_try(self, ig_user_id: str) -> bool:
        """A try is over. If it was the probe, which is answered, the breaker closes or the probe's place is free."""
        if ig_user_id != self._probe:
            return False
        self._probe = None
        if self._answered:
            self._close()
        else:
            self._memory.drop(PROBE)
        return True

    def _note_probe(self, *, failed: bool) -> None:
        if not failed:
            self._answered = True
            self._memory.put(PROBE, 1, seconds=PROBE_LEASE_S)
            return
        self._probe = None
        since = self._memory.get(OUTAGE)
        self._memory.put(OUTAGE, int(self._wall()) if since is None else since, seconds=OUTAGE_S)
        self._memory.put(PROBE, 1, seconds=self._pause_s())

    def _close(self) -> None:
        self.window.clear()
        for key in (*OUTAGE_KEYS, *window_keys(self._wall())):
            self._memory.drop(key)

    def _pause_s(self) -> float:
        since = self._memory.get(OUTAGE)
        age_s = 0.0 if since is None else self._wall() - since
        return min(max(age_s, WAIT_LEAST_S), WAIT_MOST_S)
