"""Deliveries to webhooks."""

from prometheus_client import Counter, Histogram

from shared.metrics.buckets import JOB_BUCKETS
from shared.metrics.zeros import begin_at_zero

webhook_deliveries_total = Counter(
    "instadistro_webhook_deliveries_total", "Tries to deliver to webhooks, by what became of them.", ("outcome",)
)
webhook_seconds = Histogram(
    "instadistro_webhook_duration_seconds", "Time that receivers of webhooks took.", buckets=JOB_BUCKETS
)

begin_at_zero(webhook_deliveries_total, "delivered", "retried", "failed", "gone", "busy")
