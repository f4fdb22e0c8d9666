"""The share of the gateway's reads that its cache answers, while some of its requests change what is cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from benchmarks.bench import Bench
from benchmarks.cache.gateway import running_gateway
from benchmarks.cache.mix import everything, mixed
from benchmarks.cache.trials import empty_redis
from benchmarks.processes import BenchmarkError
from benchmarks.rows import Row, row
from benchmarks.subjects import INSTADISTRO
from shared import metrics
from shared.cache import CacheNamespace, CacheResult

_REQUESTS = 20_000
_USERS, _USERS_LEAST = 200, 5
_ACCOUNTS = 25  # of each user
_SERVED = (CacheResult.HIT, CacheResult.NEGATIVE)
_READS = (*_SERVED, CacheResult.MISS)
_EMPTY, _WARM = "hit rate, from empty", "hit rate, warm"

Counts: TypeAlias = Mapping[tuple[CacheNamespace, CacheResult], float]


async def hit_rate(bench: Bench) -> list[Row]:
    """The same mix twice: on an empty cache, and once every value has been read."""
    count, users = bench.scaled(_REQUESTS), max(_USERS_LEAST, round(_USERS * min(1.0, bench.scale)))
    bench.report.begin("hit rate", trials=2)
    rows = []
    async with (
        empty_redis(bench.servers.redis),
        running_gateway(bench.servers, users=users, accounts=_ACCOUNTS) as gateway,
    ):
        for case, seed in ((_EMPTY, 1), (_WARM, 2)):
            if case == _WARM:
                await gateway.send_all(everything(gateway.tenants))
            before = _counted()
            await gateway.send_all(mixed(gateway.tenants, count, seed=seed))
            rates = _rates(before, _counted())
            bench.report.tell(f"{case}: {', '.join(f'{metric} {percent:.1f} %' for metric, percent in rates.items())}")
            rows += [row(case, INSTADISTRO, metric, "%", [percent]) for metric, percent in rates.items()]
    return rows


def _counted() -> Counts:
    """The metric of the cache's reads, as Prometheus would scrape it."""
    found = {}
    for sample in (sample for metric in metrics.cache_requests_total.collect() for sample in metric.samples):
        if sample.name.endswith("_total"):
            labels = sample.labels
            found[CacheNamespace(labels["namespace"]), CacheResult(labels["result"])] = sample.value
    return found


def _rates(before: Counts, after: Counts) -> dict[str, float]:
    """Percent of all reads that were served from Redis, then of each namespace's."""
    grown = {place: value - before.get(place, 0.0) for place, value in after.items()}
    if not any(grown.values()):
        raise BenchmarkError("The gateway read nothing through its cache.")
    namespaces = sorted({namespace for (namespace, _), value in grown.items() if value})
    return {"hit_rate": _rate(grown, namespaces)} | {
        f"hit_rate of {namespace.value}": _rate(grown, [namespace]) for namespace in namespaces
    }


def _rate(grown: Counts, namespaces: Sequence[CacheNamespace]) -> float:
    served, reads = (
        sum(value for (namespace, result), value in grown.items() if namespace in namespaces and result in results)
        for results in (_SERVED, _READS)
    )
    return 100 * served / reads
