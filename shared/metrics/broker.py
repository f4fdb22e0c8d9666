"""The way to the broker and what waits there: queues, connections, the outbox and its relay."""

from prometheus_client import Counter, Gauge

from shared.metrics.zeros import begin_at_zero

deaf_consumers_total = Counter(
    "instadistro_deaf_consumers_total", "Consumers found up and deaf, and made anew.", ("service",)
)
broker_publishes_total = Counter(
    "instadistro_broker_publishes_total", "Messages published, by the broker's answer.", ("result",)
)
queue_depth = Gauge("instadistro_queue_depth", "Messages that wait in a queue of the broker.", ("queue", "priority"))
queue_oldest_age_seconds = Gauge(
    "instadistro_queue_oldest_age_seconds",
    "Age of the oldest message that waits in a queue.",
    ("queue", "priority"),
)
broker_reconnects_total = Counter(
    "instadistro_broker_reconnects_total", "Times a lost broker connection was tried to be made anew.", ("role",)
)
broker_blocked = Gauge(
    "instadistro_broker_blocked", "1 while the broker reads nothing from a connection of ours.", ("role",)
)
outbox_pending = Gauge("instadistro_outbox_due", "Outbox rows past their due time and not yet sent.")
outbox_oldest_seconds = Gauge(
    "instadistro_outbox_oldest_due_age_seconds", "Age past due of the oldest unsent outbox row."
)
relay_sent_total = Counter("instadistro_relay_sent_total", "Outbox rows confirmed by the broker.")
relay_refused_total = Counter("instadistro_relay_refused_total", "Outbox rows the broker did not confirm in time.")

begin_at_zero(broker_publishes_total, "confirmed", "refused", "returned", "timeout", "failed")
