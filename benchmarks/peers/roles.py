"""The main function of a subject's process: the role that was ordered, in as many processes as its settings say."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeAlias

import uvloop

from benchmarks.peers.protocol import Order, read_order
from benchmarks.peers.tally import Tally

_P = ParamSpec("_P")
#: Runs until the process is told to end (SIGTERM).
Work: TypeAlias = Callable[[Order, Tally], None]


def run_blocking(*, produce: Callable[[Order], None], **work: Work) -> None:
    """Run a subject that blocks its threads.

    Args:
        produce: its role `produce`.
        **work: what its workers do, by role.
    """
    order = read_order()
    if order.role == "produce":
        produce(order)
    else:
        _work_in_processes(order, work[order.role])


def run_async(
    *,
    produce: Callable[[Order], Coroutine[Any, Any, None]],
    **work: Callable[[Order, Tally], Coroutine[Any, Any, None]],
) -> None:
    """Run a subject that works with asyncio, on uvloop. Arguments as for `run_blocking`."""
    run_blocking(produce=_on_uvloop(produce), **{role: _on_uvloop(function) for role, function in work.items()})


def _on_uvloop(function: Callable[_P, Coroutine[Any, Any, None]]) -> Callable[_P, None]:
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        uvloop.run(function(*args, **kwargs))

    return run


def _work_in_processes(order: Order, work: Work) -> None:
    tally = Tally(order)
    fork = multiprocessing.get_context("fork")
    others = [
        fork.Process(target=work, args=(order, tally)) for _ in range(int(order.settings.get("processes", 1)) - 1)
    ]
    for process in others:
        process.start()
    tally.watch()
    work(order, tally)
    for process in others:
        process.terminate()
    for process in others:
        process.join()
