"""Calls to the platform."""

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics.buckets import HTTP_BUCKETS
from shared.metrics.zeros import begin_at_zero

platform_request_seconds = Histogram(
    "instadistro_platform_request_duration_seconds",
    "Calls to the platform by operation and outcome.",
    ("operation", "outcome"),
    buckets=HTTP_BUCKETS,
)
platform_breaker_open = Gauge(
    "instadistro_platform_breaker_open", "1 while the platform counts as down and is tried by one probe at a time."
)
platform_waits_total = Counter(
    "instadistro_platform_waits_total",
    "Tries that were not begun because the platform was not to be called.",
    ("reason",),
)
platform_app_usage_percent = Gauge(
    "instadistro_platform_app_usage_percent", "Share of the app's limit of calls in use, as the platform last said."
)

begin_at_zero(platform_waits_total, "throttled", "platform_down")
