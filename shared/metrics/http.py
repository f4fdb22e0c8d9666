"""What clients of the gateway meet."""

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics.buckets import HTTP_BUCKETS
from shared.metrics.zeros import begin_at_zero

http_request_seconds = Histogram(
    "instadistro_http_request_duration_seconds",
    "Time from the read headers of a request to its answer.",
    ("route", "method", "code"),
    buckets=HTTP_BUCKETS,
)
rate_limited_total = Counter(
    "instadistro_rate_limited_total", "Requests refused because their client asks too often, by policy.", ("policy",)
)
rate_limits_local = Gauge(
    "instadistro_rate_limits_local", "1 while Redis is away and this process limits requests by itself."
)
event_streams = Gauge("instadistro_event_streams", "Streams of events that are open.")
events_streamed_total = Counter("instadistro_events_streamed_total", "Events sent to streams.")
event_streams_ended_total = Counter(
    "instadistro_event_streams_ended_total", "Streams of events that ended, by why.", ("reason",)
)
http_requests_in_progress = Gauge("instadistro_http_requests_in_progress", "Requests that are being answered now.")

begin_at_zero(rate_limited_total, "key", "tenant", "address")
