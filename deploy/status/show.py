"""The status as a person wants it on a terminal: tables, one line a thing, colour only where it means something."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from deploy.status.advice import Finding, findings, next_step
from deploy.status.facts import facts
from deploy.status.parts import PartSeen
from deploy.status.queues import Queue
from deploy.status.summary import Service, Summary
from deploy.status.words import UNKNOWN, age, memory, moment, number

_PRIORITIES = ("critical", "high", "normal", "low", "very_low", "all")
_WRONG, _WARN, _FINE, _QUIET = "red", "yellow", "green", "dim"
_STATES = {"ready": _FINE, "done": _QUIET, "starting": _WARN, "waiting": _WARN}


def render(summary: Summary, *, parts: Sequence[PartSeen] = (), where: str = "") -> RenderableType:
    """Everything, ending with the one line that says what to do.

    Args:
        summary: what the services told.
        parts: those of a system on this machine; without them the table shows the processes that were asked.
        where: lines that tell where this system is to be found.
    """
    found = findings(summary, parts=parts)
    return Group(
        _parts(parts, summary.services) if parts else _processes(summary.services),
        _queues(summary.queues),
        facts(summary),
        *([Text(where, no_wrap=True, overflow="ignore")] if where else []),
        *(_finding(each) for each in found),
        Text(next_step(found), style=f"bold {_tone(found)}"),
    )


def _parts(parts: Sequence[PartSeen], services: Sequence[Service]) -> Table:
    table = Table("part", "state", "pid", "port", "since", "version", "memory", box=SIMPLE_HEAD)
    by_name = {service.name: service for service in services}
    for part in parts:
        told = by_name.get(part.name)
        table.add_row(
            part.name,
            _state(part.state if told is None or part.state != "ready" else _readiness(told)),
            str(part.pid or ""),
            str(part.port or ""),
            moment(part.since),
            (told.version or "") if told else "",
            memory(told.memory_bytes) if told else "",
        )
    return table


def _processes(services: Sequence[Service]) -> Table:
    table = Table("service", "state", "at", "since", "version", "memory", box=SIMPLE_HEAD)
    for service in services:
        table.add_row(
            service.name,
            _state(_readiness(service)),
            service.where,
            moment(service.since),
            service.version or "",
            memory(service.memory_bytes),
        )
    return table


def _readiness(service: Service) -> str:
    if service.error is not None:
        return "no answer"
    return f"not ready: {', '.join(sorted(service.lacks))}" if service.lacks else "ready"


def _state(state: str) -> Text:
    return Text(state, style=_STATES.get(state, _WRONG))


def _queues(queues: Sequence[Queue]) -> Table | Text:
    shown = [queue for queue in queues if queue.service is not None or queue.depth]
    if not shown:
        return Text(f"queues: {UNKNOWN}, no scheduler tells of them", style=_WARN)
    priorities = [name for name in _PRIORITIES if any(name == lane.priority for each in shown for lane in each.lanes)]
    table = Table(Column("queue", no_wrap=True), *priorities, "consumers", box=SIMPLE_HEAD)
    for queue in shown:
        lanes = {lane.priority: lane for lane in queue.lanes}
        cells = [_lane(lanes[name].depth, lanes[name].oldest_s) if name in lanes else "" for name in priorities]
        consumers = "" if queue.service is None else number(queue.consumers)
        table.add_row(queue.name, *cells, Text(consumers, style=_WRONG if queue.consumers == 0 else ""))
    return table


def _lane(depth: int | None, oldest_s: float | None) -> str:
    waits = f"({age(oldest_s)})" if oldest_s is not None and (depth or oldest_s >= 1) else ""
    return f"{'' if depth is None else f'{depth:,}'} {waits}".strip()


def _finding(finding: Finding) -> Text:
    style = _WRONG if finding.severe else _WARN
    return Text.assemble((f"{'!!' if finding.severe else '! '} {finding.text} ", style), (finding.todo, "bold"))


def _tone(found: Sequence[Finding]) -> str:
    if not found:
        return _FINE
    return _WRONG if found[0].severe else _WARN
