"""Counts what a worker starts, over all its threads and forked processes, and tells the harness when it is enough."""

from __future__ import annotations

import multiprocessing
import threading
import time
from multiprocessing.sharedctypes import RawArray

from benchmarks.peers.protocol import Order, say

# Places in the shared numbers.
_BEGUN, _TIMED, _FIRST_NS, _LAST_NS = range(4)


class Tally:
    """What all processes of one worker share. Made before they are forked, watched after."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._lock = multiprocessing.Lock()
        self._numbers = RawArray("q", 4)
        self._waits_ns = RawArray("q", order.count if order.timed else 0)
        self._enough = multiprocessing.Event()

    def start(self, sent_ns: int) -> None:
        """A handler starts a job that was sent at this monotonic time; 0: one that is only counted."""
        now = time.monotonic_ns()
        self._note(now, wait_ns=now - sent_ns if sent_ns else None)

    def measure(self, wait_ns: int) -> None:
        """Note a time that the worker took itself."""
        self._note(time.monotonic_ns(), wait_ns=wait_ns)

    def watch(self) -> None:
        """Report from a thread of this process once the order's count is reached."""
        threading.Thread(target=self._report, daemon=True).start()

    def _note(self, now: int, *, wait_ns: int | None) -> None:
        numbers = self._numbers
        with self._lock:
            begun = numbers[_BEGUN] = numbers[_BEGUN] + 1
            numbers[_LAST_NS] = now
            if begun == 1:
                numbers[_FIRST_NS] = now
            timed = numbers[_TIMED]
            if wait_ns is not None and timed < len(self._waits_ns):
                self._waits_ns[timed] = wait_ns
                timed = numbers[_TIMED] = timed + 1
        if (timed if self._order.timed else begun) == self._order.count:
            self._enough.set()
        if self._order.progress_every and begun % self._order.progress_every == 0:
            say(begun=begun)

    def _report(self) -> None:
        self._enough.wait()
        numbers = self._numbers
        say(
            begun=numbers[_BEGUN],
            seconds=(numbers[_LAST_NS] - numbers[_FIRST_NS]) / 1e9,
            waits_ms=[wait_ns / 1e6 for wait_ns in self._waits_ns],
        )
