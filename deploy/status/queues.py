"""The broker's queues as the schedulers see them, and who consumes them as the broker says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local.own_parts import SERVICES
from deploy.status.samples import Samples

_DEPTH = "instadistro_queue_depth"
_AGE = "instadistro_queue_oldest_age_seconds"
_ORDER = ("critical", "high", "normal", "low", "very_low", "all")
_SERVICE_OF = {f"jobs.{name}.v1": name for name in SERVICES}


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One priority of a queue; `all` where the broker does not tell them apart."""

    priority: str
    depth: int | None
    oldest_s: float | None


@dataclass(frozen=True, kw_only=True)
class Queue:
    """One queue."""

    name: str
    service: str | None  # whose work queue it is
    depth: int | None
    oldest_s: float | None
    consumers: int | None
    lanes: list[Lane]


def queues_of(schedulers: Sequence[Samples], broker: Sequence[Samples]) -> list[Queue]:
    """Work queues first, then the others by name. Every scheduler shows the same, so the maximum counts."""
    depths, ages = _by_lane(schedulers, _DEPTH), _by_lane(schedulers, _AGE)
    consumers = _consumers(broker)
    names = {name for name, _ in (*depths, *ages)}
    queues = [_queue(name, depths, ages, consumers) for name in names]
    return sorted(queues, key=lambda queue: (queue.service is None, queue.name))


def _queue(
    name: str,
    depths: dict[tuple[str, str], float],
    ages: dict[tuple[str, str], float],
    consumers: dict[str, int],
) -> Queue:
    priorities = {priority for queue, priority in (*depths, *ages) if queue == name}
    lanes = [
        Lane(priority=each, depth=_whole(depths.get((name, each))), oldest_s=ages.get((name, each)))
        for each in sorted(priorities, key=_place)
    ]
    known = [lane.depth for lane in lanes if lane.depth is not None]
    return Queue(
        name=name,
        service=_SERVICE_OF.get(name),
        depth=sum(known) if known else None,
        oldest_s=max((lane.oldest_s for lane in lanes if lane.oldest_s is not None), default=None),
        consumers=consumers.get(name),
        lanes=lanes,
    )


def _by_lane(schedulers: Sequence[Samples], metric: str) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for samples in schedulers:
        for sample in samples.of(metric):
            lane = (sample.labels.get("queue", ""), sample.labels.get("priority", "all"))
            found[lane] = max(found.get(lane, sample.value), sample.value)
    return found


def _consumers(broker: Sequence[Samples]) -> dict[str, int]:
    found: dict[str, int] = {}
    for samples in broker:
        for sample in samples.of("rabbitmq_detailed_queue_consumers"):
            queue = sample.labels.get("queue", "")
            found[queue] = max(found.get(queue, 0), int(sample.value))
    return found


def _place(priority: str) -> int:
    return _ORDER.index(priority) if priority in _ORDER else len(_ORDER)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
