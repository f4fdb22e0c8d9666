"""Schedules: what came of their due times."""

from prometheus_client import Counter, Histogram

from shared.metrics.buckets import LATENESS_BUCKETS

schedule_occurrences_total = Counter(
    "instadistro_schedule_occurrences_total",
    "Occurrences of schedules by what came of them, and why.",
    ("state", "reason"),
)
schedule_lateness_seconds = Histogram(
    "instadistro_schedule_lateness_seconds",
    "From the time a schedule was due to its occurrence being made, of those that are to be published.",
    buckets=LATENESS_BUCKETS,
)
