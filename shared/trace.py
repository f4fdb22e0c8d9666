"""W3C trace context: which request or firing a piece of work belongs to, across processes and queues.

Each request, and each run of a job, is a span of its own in the trace that it came with. Nothing records spans here:
log lines carry the id of their trace, and whatever is sent on carries the header.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_FORM = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace_id>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
    r"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_SAMPLED = 0x01
_TRACE_ID = slice(3, 35)


class _Span:
    """One piece of work in a trace. Its id is made when it is first asked for: most work neither logs nor sends on."""

    __slots__ = ("_header", "_parent")

    def __init__(self, parent: str | None) -> None:
        self._parent = parent
        self._header: str | None = None

    @property
    def header(self) -> str:
        if self._header is None:
            self._header = (self._parent and child_traceparent(self._parent)) or new_traceparent()
        return self._header


_current: ContextVar[_Span | None] = ContextVar("span", default=None)


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
    span = _current.get()
    return None if span is None else span.header


def bind_trace(traceparent: str | None) -> None:
    """Go on in a trace for the rest of this task: its log lines carry the `trace_id`, the jobs it adds the header.

    Args:
        traceparent: the header as it came; None, or one that is not valid, begins a trace of its own.
    """
    _current.set(_Span(traceparent))


@contextmanager
def bound_trace(traceparent: str | None) -> Iterator[None]:
    """Go on in a trace as `bind_trace` does, until the context ends: for a task that outlives the work."""
    token = _current.set(_Span(traceparent))
    try:
        yield
    finally:
        _current.reset(token)


def trace_id_of(traceparent: str) -> str:
    """The id of the trace that a header belongs to."""
    return traceparent[_TRACE_ID]


def add_trace_id(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the `trace_id` on a log line; a processor of structlog."""
    if (header := current_traceparent()) is not None:
        event.setdefault("trace_id", trace_id_of(header))
    return event


def _span_id() -> str:
    # Never all zero, which would be no id; to be unique it needs no secret source.
    return f"{random.randrange(1, 1 << 64):016x}"  # noqa: S311
