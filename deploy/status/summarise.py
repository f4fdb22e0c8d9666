"""From what each process told to one status of all of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from deploy.status.queues import queues_of
from deploy.status.read import Reading
from deploy.status.samples import Sample, Samples, highest, highest_by, total_by
from deploy.status.summary import Cache, DeadJobs, Outbox, Platform, Publications, Requests, Service, Summary
from deploy.status.targets import BROKER

_ON_TIME_S = 60.0
_READ = ("hit", "negative", "stale", "miss")
_HITS = ("hit", "negative")


def summarise(readings: Sequence[Reading], *, now: datetime) -> Summary:
    """Sum the readings up. Gauges that every replica shows count once, counters of each are added."""
    # The broker is none of the services, but one that tells nothing is to be seen.
    services = [_service(reading) for reading in readings if reading.target.name != BROKER or reading.error]
    told = [(_name(reading), reading.samples) for reading in readings]
    schedulers = _told_by(told, "scheduler")
    health = _told_by(told, "health")
    return Summary(
        at=now.astimezone(UTC).isoformat(timespec="seconds"),
        services=services,
        requests=_requests(_told_by(told, "api")),
        queues=queues_of(schedulers, _told_by(told, BROKER)),
        broker_blocked=sorted(_on(_all(told), "instadistro_broker_blocked", "role")),
        outbox=Outbox(
            due=_whole(highest(schedulers, "instadistro_outbox_due")),
            oldest_s=highest(schedulers, "instadistro_outbox_oldest_due_age_seconds"),
        ),
        publications=_publications(schedulers, _told_by(told, "publisher")),
        dead_jobs=DeadJobs(
            waiting=_whole(highest(schedulers, "instadistro_dead_jobs")),
            parked=_counts(total_by(_all(told), "instadistro_dead_letters_total", "reason")),
        ),
        cache=_cache(told),
        platform=_platform([*_told_by(told, "publisher"), *health], health),
        alerts=_alerts(health, "severity"),
        alert_codes=_alerts(health, "code") or {},
        accounts=_maybe(highest_by(schedulers, "instadistro_accounts", "state")),
        tokens_ending=_maybe(highest_by(schedulers, "instadistro_tokens_ending", "within_days")),
        first_token_ends_s=_finite(highest(schedulers, "instadistro_token_first_end_seconds")),
    )


def _name(reading: Reading) -> str:
    told = next((sample.labels.get("service") for sample in reading.samples.of("instadistro_build_info")), None)
    return told or reading.target.name or "unknown"


def _told_by(told: Iterable[tuple[str, Samples]], name: str) -> list[Samples]:
    return [samples for service, samples in told if service == name]


def _all(told: Iterable[tuple[str, Samples]]) -> list[Samples]:
    return [samples for _, samples in told]


def _service(reading: Reading) -> Service:
    samples = reading.samples
    began = samples.value("process_start_time_seconds")
    version = next((sample.labels.get("version") for sample in samples.of("instadistro_build_info")), None)
    return Service(
        name=_name(reading),
        where=reading.target.where,
        ready=reading.error is None and not reading.failed,
        lacks=dict(reading.failed),
        error=reading.error,
        version=version,
        since=None if began is None else datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
        memory_bytes=_whole(samples.value("process_resident_memory_bytes")),
    )


def _requests(gateways: Sequence[Samples]) -> Requests:
    if not any(samples.by_name for samples in gateways):
        return Requests(answered=None, failed=None)
    by_code = total_by(gateways, "instadistro_http_request_duration_seconds_count", "code")
    failed = sum(number for code, number in by_code.items() if code.startswith("5"))
    return Requests(answered=int(sum(by_code.values())), failed=int(failed))


def _publications(schedulers: Sequence[Samples], publishers: Sequence[Samples]) -> Publications:
    return Publications(
        open=_maybe(highest_by(schedulers, "instadistro_publications_open", "state")),
        oldest_due_s=highest(schedulers, "instadistro_publications_oldest_due_age_seconds"),
        ended=_ended(publishers, schedulers),
        on_time_ratio=_on_time(total_by(publishers, "instadistro_publication_lateness_seconds_bucket", "le")),
        breaches=_counts(highest_by(schedulers, "instadistro_invariant_breaches", "invariant")),
    )


def _ended(publishers: Sequence[Samples], schedulers: Sequence[Samples]) -> dict[str, int] | None:
    if not any(samples.by_name for samples in publishers):
        return None
    return _counts(total_by([*publishers, *schedulers], "instadistro_publications_ended_total", "outcome"))


def _on_time(buckets: dict[str, float]) -> float | None:
    edges = {float(edge): count for edge, count in buckets.items()}
    if not edges.get(math.inf):
        return None
    return edges.get(_ON_TIME_S, 0.0) / edges[math.inf]


def _cache(told: Sequence[tuple[str, Samples]]) -> Cache:
    reads: dict[str, float] = {}
    hits: dict[str, float] = {}
    for sample in _series(_told_by(told, "api"), "instadistro_cache_requests_total"):
        namespace, result = sample.labels.get("namespace", ""), sample.labels.get("result")
        if result in _READ:
            reads[namespace] = reads.get(namespace, 0) + sample.value
            hits[namespace] = hits.get(namespace, 0) + (sample.value if result in _HITS else 0)
    count = sum(reads.values())
    return Cache(
        hit_ratio=sum(hits.values()) / count if count else None,
        reads=int(count),
        by_namespace={name: hits[name] / number for name, number in sorted(reads.items()) if number},
        redis_away=sorted({name for name, samples in told if samples.value("instadistro_cache_breaker_open")}),
    )


def _platform(callers: Sequence[Samples], health: Sequence[Samples]) -> Platform:
    down = highest(callers, "instadistro_platform_breaker_open")
    return Platform(
        down=None if down is None else down > 0,
        app_usage_percent=highest(callers, "instadistro_platform_app_usage_percent"),
        incidents=sorted(_on(health, "instadistro_incidents_open", "error_class")),
    )


def _alerts(health: Sequence[Samples], label: str) -> dict[str, int] | None:
    """Live alerts by a label: each process shows all of them, each code and severity as a series."""
    if not any(samples.by_name for samples in health):
        return None
    each = [total_by([samples], "instadistro_alerts_live", label) for samples in health]
    names = {name for found in each for name in found}
    return _counts({name: max(found.get(name, 0.0) for found in each) for name in sorted(names)})


def _series(replicas: Iterable[Samples], name: str) -> list[Sample]:
    return [sample for samples in replicas for sample in samples.of(name)]


def _on(replicas: Iterable[Samples], name: str, label: str) -> set[str]:
    return {sample.labels.get(label, "") for sample in _series(replicas, name) if sample.value > 0}


def _counts(values: dict[str, float]) -> dict[str, int]:
    return {name: int(value) for name, value in values.items() if value}


def _maybe(values: dict[str, float]) -> dict[str, int] | None:
    return {name: int(value) for name, value in values.items()} or None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
