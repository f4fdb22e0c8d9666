"""The samples of an exposition that the status needs, and how those of several replicas become one number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from prometheus_client.parser import text_string_to_metric_families

Labels: TypeAlias = Mapping[str, str]

# Parsing all of an exposition takes a second of a terminal's patience; this is a twentieth of it.
_READ = (
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "rabbitmq_detailed_queue_consumers",
    "instadistro_accounts{",
    "instadistro_alerts_live",
    "instadistro_broker_blocked",
    "instadistro_build_info",
    "instadistro_cache_breaker_open",
    "instadistro_cache_requests_total",
    "instadistro_dead_jobs",
    "instadistro_dead_letters_total",
    "instadistro_http_request_duration_seconds_count",
    "instadistro_incidents_open",
    "instadistro_invariant_breaches",
    "instadistro_outbox_",
    "instadistro_platform_app_usage_percent",
    "instadistro_platform_breaker_open",
    "instadistro_publication_lateness_seconds_bucket",
    "instadistro_publications_ended_total",
    "instadistro_publications_oldest_due_age_seconds",
    "instadistro_publications_open",
    "instadistro_queue_",
    "instadistro_token",
)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One series at one moment."""

    labels: Labels
    value: float


@dataclass(frozen=True)
class Samples:
    """What one process told."""

    by_name: Mapping[str, list[Sample]] = field(default_factory=dict)

    def of(self, name: str) -> list[Sample]:
        """The series of a metric; none where it is not told."""
        return self.by_name.get(name, [])

    def value(self, name: str) -> float | None:
        """The value of a metric without labels."""
        return next((sample.value for sample in self.of(name)), None)


def parse(text: str) -> Samples:
    """The samples that are read here.

    Raises:
        ValueError: the text is no exposition.
    """
    wanted = "".join(f"{line}\n" for line in text.splitlines() if line.startswith(_READ))
    found: defaultdict[str, list[Sample]] = defaultdict(list)
    for family in text_string_to_metric_families(wanted):
        for sample in family.samples:
            found[sample.name].append(Sample(labels=sample.labels, value=sample.value))
    return Samples(found)


def highest(replicas: Iterable[Samples], name: str) -> float | None:
    """Of what every replica shows of the same thing (a queue, a table): the maximum. None: nobody told."""
    return max((sample.value for samples in replicas for sample in samples.of(name)), default=None)


def highest_by(replicas: Iterable[Samples], name: str, label: str) -> dict[str, float]:
    """The same for each value of a label."""
    found: dict[str, float] = {}
    for samples in replicas:
        for sample in samples.of(name):
            key = sample.labels.get(label, "")
            found[key] = max(found.get(key, sample.value), sample.value)
    return found


def total_by(replicas: Iterable[Samples], name: str, label: str) -> dict[str, float]:
    """Of what every replica counts for itself: the sum for each value of a label."""
    found: dict[str, float] = {}
    for samples in replicas:
        for sample in samples.of(name):
            key = sample.labels.get(label, "")
            found[key] = found.get(key, 0.0) + sample.value
    return found
