"""What every process tells of itself: its event loop, its loops, what it depends on, what it is."""

import asyncio
import time
from functools import partial
from unittest.mock import AsyncMock

import pytest
from prometheus_client import REGISTRY

from shared.errors import InstaDistroError
from shared.lifecycle import process, repeat
from shared.lifecycle.watch import watch_dependencies, watch_event_loop
from tests.waiting import until


def sample(name, **labels):
    return REGISTRY.get_sample_value(f"instadistro_{name}", labels)


async def is_more(name, before, **labels):
    return (sample(name, **labels) or 0) > before


async def test_a_blocked_event_loop_is_seen():
    """Whatever holds the loop up for half a second shows as that much lag."""
    late = "event_loop_lag_seconds_sum"
    before = sample(late) or 0

    async with watch_event_loop():
        await asyncio.sleep(0)
        time.sleep(0.8)  # noqa: ASYNC251 - this is the fault
        await until(partial(is_more, late, before + 0.25), what="the lag of a loop that was blocked")


async def test_the_sampler_stops_with_its_process():
    """Nothing is left running."""
    before = asyncio.all_tasks()

    async with watch_event_loop(), watch_dependencies({}):
        assert len(asyncio.all_tasks()) == len(before) + 2

    assert asyncio.all_tasks() == before


async def test_a_loop_that_never_succeeds_is_visible_from_its_start():
    """Its runs are counted as failed, and its last success stays at when it began."""
    stop, began, failed = asyncio.Event(), time.time(), "loop_runs_total"

    async def fail():
        raise InstaDistroError("never")

    loop = asyncio.create_task(repeat(fail, name="test_fails", every_s=0.01, stop=stop))
    await until(partial(is_more, failed, 1, loop="test_fails", outcome="failed"), what="two sweeps that failed")
    last = sample("loop_last_success_timestamp_seconds", loop="test_fails")
    stop.set()
    await loop

    assert last is not None
    assert began - 1 < last < time.time() - 0.05
    assert sample(failed, loop="test_fails", outcome="done") == 0


async def test_a_loop_that_succeeds_renews_its_time():
    """Each good sweep is counted, and the newest is remembered, as long as a loop of the name runs."""
    stop, last, began = asyncio.Event(), "loop_last_success_timestamp_seconds", time.time()
    seen: list[float] = []

    async def sweep():
        seen.append(sample(last, loop="test_works") or 0)
        if len(seen) == 3:
            stop.set()

    other_stop, idle = asyncio.Event(), AsyncMock(return_value=None)
    other = asyncio.create_task(repeat(idle, name="test_works", every_s=60, stop=other_stop))
    await until(partial(is_more, "loop_runs_total", 0, loop="test_works", outcome="done"), what="a sweep of the other")
    await repeat(sweep, name="test_works", every_s=0.02, stop=stop)
    while_one_runs = sample(last, loop="test_works")
    other_stop.set()
    await other

    assert sample("loop_runs_total", loop="test_works", outcome="done") == 4
    assert began <= seen[0] < seen[1] < seen[2]
    assert while_one_runs is not None
    assert while_one_runs >= seen[2]
    assert sample(last, loop="test_works") is None


@pytest.mark.parametrize("fault", ["refuses", "hangs"])
async def test_a_dependency_is_up_or_down_by_its_own_check(fault, monkeypatch):
    """One that refuses or hangs is down, and hides nothing of the others."""
    monkeypatch.setattr("shared.lifecycle.checks._DEADLINE_S", 0.05)

    async def answer():
        return 1

    async def broken():
        if fault == "refuses":
            raise OSError("refused")
        await asyncio.Event().wait()

    async def known():
        return sample("dependency_up", dependency=f"test_{fault}") == 0 and sample("dependency_up", dependency="test")

    async with watch_dependencies({"test": answer, f"test_{fault}": broken}):
        await until(known, what="both dependencies")


def test_a_process_tells_its_service_and_version(monkeypatch):
    """So a board can show what runs, and when that changed."""
    monkeypatch.setattr(process, "load_settings", lambda _environ: _Settings())
    monkeypatch.setattr(process, "begin_logs", lambda **_: True)
    monkeypatch.setattr(process, "configure_logs", lambda **_: None)
    monkeypatch.setattr(process, "version", lambda _name: "1.2.3")

    async def serve(_settings, _stop):
        return None

    process.run_process("test", serve, report=lambda: None)

    assert sample("build_info", service="test", version="1.2.3") == 1


class _Settings:
    log_level, log_format, kill_points_dir = "info", "json", None
