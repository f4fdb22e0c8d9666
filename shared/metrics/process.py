"""What every process tells of itself: its build, its event loop, its loops, what it depends on."""

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics.buckets import LAG_BUCKETS

build_info = Gauge("instadistro_build_info", "1, labelled with what runs.", ("service", "version"))
event_loop_lag_seconds = Histogram(
    "instadistro_event_loop_lag_seconds",
    "How much later than asked the event loop woke a sleeper, twice a second.",
    buckets=LAG_BUCKETS,
)
loop_runs_total = Counter(
    "instadistro_loop_runs_total", "Sweeps of the loops of a service, by their outcome.", ("loop", "outcome")
)
loop_last_success_seconds = Gauge(
    "instadistro_loop_last_success_timestamp_seconds", "When a loop last ended a sweep without an error.", ("loop",)
)
dependency_up = Gauge(
    "instadistro_dependency_up",
    "1 while a server that this service needs answers it, asked every 5 s.",
    ("dependency",),
)
