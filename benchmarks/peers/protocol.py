"""What the harness and a subject's process say to each other: one JSON order as argument, JSON lines as answers.

Only the standard library is used here: this runs in the rivals' environment too.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO, TypeVar

T = TypeVar("T")

#: What `produce` sends as the time of sending; the load generator puts the true one in its place.
STAMP = 1_111_111_111_111_111_111

# How long a process has to end by itself once it was told to.
_GRACE_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """What one process shall do."""

    role: str
    url: str  # of a virtual host that is this trial's alone
    count: int  # jobs to enqueue; of a worker: handler starts after which it reports
    queue: str = ""
    timed: bool = False  # a worker: only starts of jobs that carry their time of sending count
    backlog_most: int = 0  # the load: jobs that may wait while workers take them; 0: no workers, fill the queue
    progress_every: int = 0  # a worker: say so after each so many starts; 0 never
    priority: int | None = None  # on the wire, 5 first; None: the queue has no priorities
    hold_ms: int = 0  # a worker: how long a job without a time of sending takes on average
    rate_per_s: float = 0.0
    database: str = ""
    settings: Mapping[str, int | str] = field(default_factory=dict)  # the subject's own


_answers: TextIO = sys.stdout


def read_order() -> Order:
    """The order this process of a task system was started with."""
    return read_order_of(Order)


def read_order_of(kind: Callable[..., T]) -> T:
    """The order this process was started with, of whichever kind its suite gives.

    Whatever else is printed goes to standard error from now on, of logs only warnings and worse.
    """
    global _answers  # noqa: PLW0603 - a process has one standard output
    _answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    logging.basicConfig(level=logging.WARNING)
    _end_with_input()
    return kind(**json.loads(sys.argv[1]))


def say(**answer: Any) -> None:
    """Answer the harness."""
    _answers.write(json.dumps(answer) + "\n")
    _answers.flush()


async def until_told() -> None:
    """Return when the harness wants this process to end."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()


def _end_with_input() -> None:
    """Have this process told to end (SIGTERM) when the harness closes its input or dies, and killed if it does not."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        # To the main thread, whatever it waits for: another one would take the signal and leave it asleep.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        time.sleep(_GRACE_S)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
