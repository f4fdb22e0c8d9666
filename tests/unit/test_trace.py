from __future__ import annotations

import asyncio

import pytest

from shared.trace import add_trace_id, bind_trace, bound_trace, child_traceparent, current_traceparent, new_traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def logged_trace_id():
    """What a line logged here would carry."""
    return add_trace_id(None, "info", {}).get("trace_id")


def test_a_child_is_a_new_span_of_the_same_trace():
    """The trace id and the sampled flag are kept, the span id is not."""
    child = child_traceparent(f"00-{TRACE}-{SPAN}-01")

    assert child is not None
    version, trace_id, span_id, flags = child.split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "01")
    assert span_id != SPAN


def test_a_new_trace_is_valid_and_its_own():
    """What is begun here can be gone on with, and no two are the same."""
    first, second = new_traceparent(), new_traceparent()

    assert child_traceparent(first) is not None
    assert first != second


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01more",
    ],
    ids=[
        "empty",
        "nonsense",
        "no-flags",
        "upper-case",
        "no-trace",
        "no-span",
        "short-trace",
        "short-flags",
        "too-much",
        "line-end",
        "leading-space",
        "forbidden-version",
        "no-dash",
    ],
)
def test_what_is_no_header_of_the_standard_has_no_child(header):
    """A trace is never gone on with by guess."""
    assert child_traceparent(header) is None


@pytest.mark.parametrize(
    ("header", "flags"),
    [(f"cc-{TRACE}-{SPAN}-01-later", "01"), (f"cc-{TRACE}-{SPAN}-ff", "01"), (f"00-{TRACE}-{SPAN}-fe", "00")],
    ids=["later-version", "later-flags", "unknown-flags"],
)
def test_a_later_version_is_read_as_far_as_it_is_known(header, flags):
    """Its first four fields mean the same; only what this version knows is passed on."""
    child = child_traceparent(header)

    assert child is not None
    assert child.startswith(f"00-{TRACE}-")
    assert child.endswith(f"-{flags}")


def test_outside_a_trace_there_is_no_header():
    """Nothing is made up for work that nobody follows."""
    assert current_traceparent() is None


def test_a_bound_trace_ends_with_its_context():
    """Logs and headers carry the trace inside, and neither does after."""
    with bound_trace(f"00-{TRACE}-{SPAN}-01"):
        inside = current_traceparent()
        logged = logged_trace_id()

    assert inside is not None
    assert inside.split("-")[1] == logged == TRACE
    assert current_traceparent() is None
    assert logged_trace_id() is None


async def test_a_task_goes_on_in_its_own_trace():
    """Two jobs at a time never mix their traces; one without a header begins its own."""

    async def run(header):
        bind_trace(header)
        await asyncio.sleep(0)
        return (current_traceparent() or "").split("-")[1], logged_trace_id()

    (known, known_logged), (begun, begun_logged) = await asyncio.gather(
        asyncio.create_task(run(f"00-{TRACE}-{SPAN}-01")), asyncio.create_task(run("not valid"))
    )

    assert known == known_logged == TRACE
    assert begun == begun_logged != TRACE
