"""W3C trace context: which request or firing a piece of work belongs to, across processes and queues.

Each request, and each run of a job, is a span of its own in the trace that it came with. Nothing records spans here:
log lines carry the id of their trace, and whatever is sent on carries the header.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from structlog.contextvars import bind_contextvars, bound_contextvars

_FORM = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace_id>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
    r"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_SAMPLED = 0x01
_TRACE_ID = slice(3, 35)

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def new_traceparent() -> str:
    """The header of a trace that begins here. It is not marked as sampled, for nothing records it."""
    return f"00-{os.urandom(16).hex()}-{_span_id()}-00"


def child_traceparent(parent: str) -> str | None:
    """The header of a new span in the parent's trace; None if the parent is no valid header."""
    found = _FORM.fullmatch(parent)
    # A later version may add fields behind those it promises to keep; in version 00 nothing follows.
    if found is None or (found["more"] and found["version"] == "00"):
        return None
    # No other flag may be passed on, and what is passed on is of the version that is spoken here.
    sampled = int(found["flags"], 16) & _SAMPLED
    return f"00-{found['trace_id']}-{_span_id()}-{sampled:02x}"


def current_traceparent() -> str | None:
    """The header to send on with work that follows from the current one; None outside any trace."""
    return _current.get()


def bind_trace(traceparent: str | None) -> None:
    """Go on in a trace for the rest of this task: its log lines carry the `trace_id`, the jobs it adds the header.

    Args:
        traceparent: the header as it came; None, or one that is not valid, begins a trace of its own.
    """
    mine = _go_on(traceparent)
    _current.set(mine)
    bind_contextvars(trace_id=mine[_TRACE_ID])


@contextmanager
def bound_trace(traceparent: str | None) -> Iterator[None]:
    """Go on in a trace as `bind_trace` does, until the context ends: for a task that outlives the work."""
    mine = _go_on(traceparent)
    token = _current.set(mine)
    try:
        with bound_contextvars(trace_id=mine[_TRACE_ID]):
            yield
    finally:
        _current.reset(token)


def _go_on(traceparent: str | None) -> str:
    return (traceparent and child_traceparent(traceparent)) or new_traceparent()


def _span_id() -> str:
    # Never all zero, which would be no id; to be unique it needs no secret source.
    return f"{random.randrange(1, 1 << 64):016x}"  # noqa: S311
