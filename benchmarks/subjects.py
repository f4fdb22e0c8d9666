"""Who is measured, and the settings among which each one's best is looked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from benchmarks.processes import CHECKOUT

Settings: TypeAlias = Mapping[str, int | str]

INSTADISTRO = "instadistro"
BARE = "bare aio-pika"
#: The environment the rivals are installed in, apart from ours.
RIVALS = CHECKOUT / ".venv-bench"
_RIVALS_PYTHON = RIVALS / "bin" / "python"
_CORES = os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One of those that are compared."""

    name: str
    module: str  # what runs as its producer and its worker
    package: str | None = None  # of a rival: its distribution, installed in the rivals' environment
    work: tuple[Settings, ...] = ({},)  # of one process; of a worker the first fetches least ahead
    # Of task systems alone:
    queue: str = ""  # where its jobs wait
    enqueue: tuple[Settings, ...] = ({},)  # of a producer
    spread: tuple[Settings, ...] = ({},)  # of a worker on all cores

    @property
    def python(self) -> Path | None:
        """The interpreter that can run it; None is the harness's own."""
        return _RIVALS_PYTHON if self.package is not None else None

    @property
    def is_here(self) -> bool:
        """Whether it can be run: a rival must be in the rivals' environment."""
        if self.package is None:
            return True
        metadata = f"lib/python*/site-packages/{self.package.replace('-', '_')}-*.dist-info"
        return next(RIVALS.glob(metadata), None) is not None


_WINDOWS: tuple[Settings, ...] = ({"window": 200}, {"window": 500})
_THREADS: tuple[Settings, ...] = ({"threads": 1}, {"threads": 4}, {"threads": 8})
#: At these, the engine is compared with the bare library under the same prefetch. The first is what the service whose
#: queue is measured has by default.
PREFETCHES = (16, 64, 200)
_PREFETCHES: tuple[Settings, ...] = tuple({"prefetch": prefetch} for prefetch in PREFETCHES)


def _on_all_cores(settings: tuple[Settings, ...]) -> tuple[Settings, ...]:
    return tuple({**one, "processes": _CORES} for one in settings)


_FASTSTREAM: tuple[Settings, ...] = (
    {"prefetch": 16, "types": 1},
    {"prefetch": 64, "types": 1},
    {"prefetch": 200, "types": 1},
    {"prefetch": 200, "types": 0},
)
_DRAMATIQ: tuple[Settings, ...] = (
    {"threads": 8, "prefetch": 16},
    {"threads": 8, "prefetch": 64},
    {"threads": 2, "prefetch": 200},
    {"threads": 8, "prefetch": 200},
)

SUBJECTS = (
    Subject(
        name=INSTADISTRO,
        module="benchmarks.peers.instadistro",
        queue="jobs.health.v1",
        enqueue=({},),
        work=_PREFETCHES,
        spread=_on_all_cores(_PREFETCHES),
    ),
    Subject(
        name=BARE,
        module="benchmarks.peers.bare_aio_pika",
        queue="bench",
        enqueue=_WINDOWS,
        work=_PREFETCHES,
        spread=_on_all_cores(_PREFETCHES),
    ),
    Subject(
        name="FastStream",
        module="benchmarks.peers.faststream",
        queue="bench",
        package="faststream",
        enqueue=_WINDOWS,
        work=_FASTSTREAM,
        spread=_on_all_cores(_FASTSTREAM),
    ),
    Subject(
        name="taskiq-aio-pika",
        module="benchmarks.peers.taskiq",
        queue="bench",
        package="taskiq-aio-pika",
        enqueue=_WINDOWS,
        work=_PREFETCHES,
        spread=_on_all_cores(_PREFETCHES),
    ),
    Subject(
        name="Dramatiq",
        module="benchmarks.peers.dramatiq",
        queue="bench",
        package="dramatiq",
        enqueue=_THREADS,
        work=_DRAMATIQ,
        spread=_on_all_cores(_DRAMATIQ),
    ),
    Subject(
        name="Celery",
        module="benchmarks.peers.celery",
        queue="bench",
        package="celery",
        enqueue=_THREADS,
        # Its prefetch is the multiplier times the concurrency.
        work=(
            {"pool": "threads", "concurrency": 8, "multiplier": 2},
            {"pool": "threads", "concurrency": 8, "multiplier": 8},
            {"pool": "threads", "concurrency": 8, "multiplier": 25},
            {"pool": "solo", "concurrency": 1, "multiplier": 200},
            {"pool": "prefork", "concurrency": 1, "multiplier": 200},
        ),
        spread=(
            {"pool": "prefork", "concurrency": _CORES, "multiplier": 100},
            {"pool": "threads", "concurrency": 8, "multiplier": 25, "processes": _CORES},
            {"pool": "solo", "concurrency": 1, "multiplier": 200, "processes": _CORES},
        ),
    ),
)


def is_bare(subject: str) -> bool:
    """Whether a subject of this name is a library alone that the project stands on, and so nobody's rival."""
    return subject.startswith("bare ")


def describe(settings: Settings) -> str:
    """The settings in words, for tables."""
    return ", ".join(f"{name} {value}" for name, value in settings.items()) or "its own"
